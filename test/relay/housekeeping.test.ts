// What is forgotten, and what never is.
import { describe, expect, test } from "bun:test";
import { DEFAULT_CLOCKS as clocks } from "../../relay/clocks.ts";
import { type Pruned, prune, UNPRUNED } from "../../relay/housekeeping.ts";
import { machineOf } from "./ledger-rows.ts";
import { intent, type Ledger, leaseOf, ledger, reach, stateOf } from "./ledger-under-test.ts";

/** Prunes to the end and returns how many pieces it took. */
function pruneAll({ queue, now }: Ledger): number {
	let pieces = 0;
	for (let next: Pruned | null = UNPRUNED; next !== null; pieces++) next = prune(queue, next, now(), clocks);
	return pieces;
}

describe("pruning", () => {
	test("forgets an ended job after 7 days and not before", () => {
		for (const state of ["done", "refused", "dead"] as const) {
			const it = reach(state);
			it.wait(clocks.keep);
			pruneAll(it);
			expect(stateOf(it.queue)).toBe(state);
			it.wait(1);
			pruneAll(it);
			expect(stateOf(it.queue)).toBeUndefined();
		}
	});

	test("never forgets a job that is open, nor the intent that it names, however old", () => {
		for (const state of ["waiting", "queued", "launching", "launched", "running"] as const) {
			const it = reach(state);
			it.wait(400 * 86_400_000);
			pruneAll(it);
			expect(stateOf(it.queue)).toBe(state);
		}
		const it = reach("launching");
		it.wait(400 * 86_400_000);
		pruneAll(it);
		expect(it.lease()[0]).toMatchObject({ kind: "launch", intent: { token: "t-1", members: [1] } });
	});

	test("forgets an intent that nobody names after a day", () => {
		const it = reach("launched");
		pruneAll(it);
		expect(it.queue.intent("t-1")).not.toBeNull();
		it.wait(clocks.keepIntents + 1);
		pruneAll(it);
		expect(it.queue.intent("t-1")).toBeNull();
	});

	test("goes through thousands in pieces, past open ones between them", () => {
		const it = ledger();
		for (let id = 1; id <= 1000; id++) {
			it.hear(id, "queued");
			if (id % 100 !== 0) it.hear(id, "completed", { conclusion: "cancelled" });
		}
		it.wait(clocks.keep + 1);
		expect(pruneAll(it)).toBeGreaterThan(4);
		const left = it.queue.listJobs(null, 2000).map(({ pointer }) => pointer.id);
		expect(left.toSorted((a, b) => a - b)).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
	});

	test("forgets starts after 90 days, but not how many there were", () => {
		const it = ledger();
		for (let id = 1; id <= 3; id++) {
			it.hear(id, "queued");
			const lease = leaseOf(it, id);
			it.settle({ ...lease, ...intent(`t-${id}`, [id]) }, { ...lease, outcome: "launched", ...machineOf(id) });
			it.hear(id, "in_progress", { runnerName: machineOf(id).runnerName });
			it.hear(id, "completed", { runnerName: machineOf(id).runnerName, conclusion: "success" });
		}
		expect(it.queue.starts(10).map(({ jobId }) => jobId)).toEqual([3, 2, 1]);
		it.wait(clocks.keepStarts + 1);
		pruneAll(it);
		expect([it.queue.starts(10).length, it.queue.started()]).toEqual([1, 3]);
	});
});
