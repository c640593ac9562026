// The clock jumps by up to an hour, forward or back, at any point of a job's life: nothing is lost, nothing hides for longer than it would have.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { followClock, latestSeen } from "../../relay/clock.ts";
import { DEFAULT_CLOCKS as clocks } from "../../relay/clocks.ts";
import { handOut } from "../../relay/hand-out.ts";
import { type Pruned, prune, UNPRUNED } from "../../relay/housekeeping.ts";
import type { Queue } from "../../relay/queue.ts";
import { machineOf, reopened } from "./ledger-rows.ts";
import { intent, type Ledger, leaseOf, ledger, reach, stateOf } from "./ledger-under-test.ts";

const HOUR = 3_600_000;
/** Clocks are corrected by this much all the time, and nothing follows (relay/clock.ts). */
const TOLERANCE = 1000;
const JOBS = 4;

const step = fc.record({ kind: fc.nat(8), id: fc.integer({ min: 1, max: JOBS }), at: fc.nat(1000) });
const life = fc.array(step, { minLength: 1, maxLength: 40 });
const jump = fc.integer({ min: -HOUR, max: HOUR });

/** One step in the life of a job. What does not fit it there is stale and changes nothing, as for the real relay. */
function live(it: Ledger, { kind, id, at }: { kind: number; id: number; at: number }, held: Map<number, string>): void {
	const { runnerName } = machineOf(id);
	const lease = { workId: `launch-${id}`, leaseId: held.get(id) ?? "none" };
	if (kind === 0) it.hear(id, "queued");
	else if (kind === 1) it.hear(id, "queued", { status: "waiting" });
	else if (kind === 2) for (const { job, leaseId } of it.lease().filter((item) => item.kind === "launch")) held.set(job.id, leaseId);
	else if (kind === 3) it.settle({ ...lease, ...intent(`t-${id}`, [id]) });
	else if (kind === 4) it.settle({ ...lease, outcome: "launched", ...machineOf(id) });
	else if (kind === 5) it.hear(id, "in_progress", { runnerName });
	else if (kind === 6) it.hear(id, "completed", { runnerName: at % 2 ? runnerName : null, conclusion: "success" });
	else it.wait(kind === 7 ? at : at * 300);
}

function lived(steps: { kind: number; id: number; at: number }[]): Ledger {
	const it = ledger();
	const held = new Map<number, string>();
	for (let id = 1; id <= JOBS; id++) it.hear(id, "queued");
	for (const one of steps) live(it, one, held);
	return it;
}

/** When each open job and each task is looked at next. */
function dueTimes(queue: Queue): Map<string, number> {
	const jobs = queue.open.all().map(({ pointer, dueAt }) => [`job ${pointer.id}`, Number(dueAt)] as const);
	const tasks = queue.dueTasks(Number.MAX_SAFE_INTEGER, 1000).map(({ workId, dueAt }) => [workId, Number(dueAt)] as const);
	return new Map([...jobs, ...tasks].toSorted());
}

describe("after the clock jumped by up to an hour", () => {
	test("every open job and task is still there, no further away than it was, on disk as in memory", () => {
		fc.assert(
			fc.property(life, jump, (steps, by) => {
				const it = lived(steps);
				const latest = it.now();
				const before = dueTimes(it.queue);
				it.wait(by);
				followClock(it.queue, latest, it.now());
				const after = dueTimes(it.queue);
				expect([...after.keys()]).toEqual([...before.keys()]);
				for (const [name, dueAt] of before)
					expect((after.get(name) ?? 0) - it.now()).toBeLessThanOrEqual(Math.max(0, dueAt - latest) + TOLERANCE);
				expect(dueTimes(reopened(it.database))).toEqual(after);
			}),
		);
	});

	test("whatever was leased is handed out again once the longest clock has run, and whatever was known stays in its state", () => {
		fc.assert(
			fc.property(life, jump, fc.boolean(), (steps, by, isRestarted) => {
				const it = lived(steps);
				const states = [1, 2, 3, 4].map((id) => stateOf(it.queue, id));
				const latest = it.now();
				it.wait(by);
				const queue = isRestarted ? reopened(it.database) : it.queue;
				followClock(queue, isRestarted ? latestSeen(queue) : latest, it.now());
				expect([1, 2, 3, 4].map((id) => stateOf(queue, id))).toEqual(states);
				const open = [...dueTimes(queue).keys()];
				const later = it.now() + clocks.running + (isRestarted ? quietOf(steps) : 0) + TOLERANCE;
				const { work } = handOut(queue, { max: 100, requestId: "late" }, () => "l", later, clocks);
				const names = work.map((item) => (item.kind === "launch" || item.kind === "check" ? `job ${item.job.id}` : item.workId));
				expect(names.toSorted()).toEqual(open.toSorted());
			}),
		);
	});

	test("a machine that is to be ended is not spared by a restart on a clock set back, however long ago the last lease was", () => {
		const it = reach("launched");
		it.wait(2 * HOUR);
		it.hear(1, "completed", { conclusion: "cancelled" });
		it.wait(-HOUR);
		const queue = reopened(it.database);
		followClock(queue, latestSeen(queue), it.now());
		const { work } = handOut(queue, { max: 100, requestId: "r" }, () => "l", it.now(), clocks);
		expect(work).toMatchObject([{ kind: "terminate", instanceId: machineOf(1).instanceId }]);
	});

	test("pruning drops no ended job, start or intent that is younger than it is kept less that hour", () => {
		const age = fc.integer({ min: 0, max: clocks.keepStarts + 2 * HOUR });
		fc.assert(
			fc.property(age, fc.integer({ min: 0, max: HOUR }), (old, forward) => {
				const it = reach("done");
				it.wait(old);
				for (let next: Pruned | null = UNPRUNED; next; ) next = prune(it.queue, next, it.now() + forward, clocks);
				if (old < clocks.keep - HOUR) expect(stateOf(it.queue)).toBe("done");
				if (old < clocks.keepStarts - HOUR) expect(it.queue.starts(10)).toHaveLength(1);
				if (old < clocks.keepIntents - HOUR) expect(it.queue.intent("t-1")).not.toBeNull();
				if (old > clocks.keep) expect(stateOf(it.queue)).toBeUndefined();
			}),
		);
	});

	test("an open job is never pruned, and its launch is replayed with its intent", () => {
		const it = reach("launching");
		const latest = it.now();
		it.wait(-HOUR);
		followClock(it.queue, latest, it.now());
		for (let next: Pruned | null = UNPRUNED; next; ) next = prune(it.queue, next, it.now() + HOUR, clocks);
		it.wait(clocks.lease);
		expect(leaseOf(it, 1).workId).toBe("launch-1");
	});
});

/** How long after the last thing written down the clock jumped: so much a relay that starts anew cannot know. */
function quietOf(steps: { kind: number; at: number }[]): number {
	return steps.reduce((sum, { kind, at }) => sum + (kind === 7 ? at : kind === 8 ? at * 300 : 0), 0);
}
