// What leases leave behind has moments of its own: budgets and answers outlive a clock that jumps by up to an hour, forward or back.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createAnswers } from "../../relay/answers.ts";
import { followClock, latestSeen } from "../../relay/clock.ts";
import { DEFAULT_CLOCKS as clocks, JIT_CALLS_A_MINUTE } from "../../relay/clocks.ts";
import { answerAgain, handOut } from "../../relay/hand-out.ts";
import type { Queue } from "../../relay/queue.ts";
import { receive } from "../../relay/receive.ts";
import { freshRows, jobEvent, reopened, START } from "./ledger-rows.ts";

const HOUR = 3_600_000;
const TOLERANCE = 1000;
const jump = fc.integer({ min: -HOUR, max: HOUR });
const intake = { maxOpenJobs: 1000, clocks };

/** Leases on rows, with a clock that jumps. */
function leases(jobs: number) {
	const { queue: first, database } = freshRows();
	let queue = first;
	let now = START;
	let count = 0;
	let ids = 0;
	for (let id = 1; id <= jobs; id++) receive(queue, { id: `d-${id}`, event: jobEvent(id, "queued") }, intake, now);
	return {
		queue: () => queue,
		now: () => now,
		wait: (milliseconds: number) => {
			now += milliseconds;
		},
		lease: (max: number) => handOut(queue, { max, requestId: `r-${++count}` }, () => `l-${++ids}`, now, clocks),
		again: (request: string) => answerAgain(queue, request, now - clocks.answers),
		jump(by: number, isRestarted: boolean): void {
			const latest = now;
			now += by;
			if (isRestarted) queue = reopened(database);
			followClock(queue, isRestarted ? latestSeen(queue) : latest, now);
		},
		restarted: (): Queue => reopened(database),
	};
}

describe("after the clock jumped by up to an hour", () => {
	test("budgets that were spent refill as fast as ever", () => {
		fc.assert(
			fc.property(jump, fc.boolean(), fc.integer({ min: 0, max: 70 }), (by, isRestarted, seconds) => {
				const it = leases(JIT_CALLS_A_MINUTE + 20);
				it.lease(100);
				it.wait(1);
				expect(it.lease(100).budgets.jitCalls).toBe(0);
				expect(it.lease(100).work).toHaveLength(0);
				it.jump(by, isRestarted);
				it.wait(seconds * 1000 + TOLERANCE);
				const { budgets, work } = it.lease(1);
				if (seconds > 60) expect(budgets.jitCalls + work.length).toBe(JIT_CALLS_A_MINUTE);
			}),
		);
	});

	test("an answer that was lost is given again, for as long as it was to be kept and no longer", () => {
		fc.assert(
			fc.property(fc.integer({ min: -HOUR, max: 0 }), fc.boolean(), fc.nat(clocks.answers - TOLERANCE - 1), (by, isRestarted, age) => {
				const it = leases(3);
				const lost = it.lease(3);
				it.jump(by, isRestarted);
				it.wait(age);
				expect(it.again("r-1")).toEqual(lost);
				it.wait(clocks.answers - age + TOLERANCE);
				expect(it.again("r-1")).toBeNull();
			}),
		);
	});

	test("an answer that is too old after a clock set forward leaves its work to be leased again", () => {
		fc.assert(
			fc.property(fc.integer({ min: 0, max: HOUR }), fc.boolean(), (by, isRestarted) => {
				const it = leases(3);
				const lost = it.lease(3);
				it.jump(by, isRestarted);
				const again = it.again("r-1") ?? it.lease(3);
				expect(again.work.map(({ workId }) => workId)).toEqual(lost.work.map(({ workId }) => workId));
			}),
		);
	});

	test("a restart goes on from the newest lease, not from one that a clock ahead of time had dated later", () => {
		const turn = fc.record({ by: jump, count: fc.integer({ min: 1, max: 20 }), isRestarted: fc.boolean() });
		fc.assert(
			fc.property(fc.array(turn, { minLength: 1, maxLength: 4 }), (turns) => {
				const it = leases(150);
				for (const { by, count, isRestarted } of turns) {
					for (let n = 0; n < count; n++) {
						it.lease(1);
						it.wait(7);
					}
					expect(it.restarted().budgets()).toEqual(it.queue().budgets());
					it.jump(by, isRestarted);
					expect(it.restarted().budgets()).toEqual(it.queue().budgets());
				}
			}),
		);
	});
});

describe("the answers in memory", () => {
	test("are forgotten in their time by a clock that was set back", async () => {
		const answers = createAnswers<number>(1000);
		let made = 0;
		const make = async () => ++made;
		await answers.once("a", START, make);
		expect(await answers.once("a", START - 500, make)).toBe(1);
		expect(await answers.once("b", START - HOUR, make)).toBe(2);
		expect(await answers.once("a", START - HOUR, make)).toBe(3);
	});
});
