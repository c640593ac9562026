// What must hold of the ledger whatever order, loss and doubling the world comes up with.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { JobState } from "../../contract/job.ts";
import { isEnded } from "../../relay/job.ts";
import { createWorld, type World } from "./world.ts";

const RANK: Record<JobState, number> = { waiting: 0, queued: 1, launching: 1, launched: 1, running: 2, refused: 3, dead: 3, done: 3 };

const step = fc.record({ kind: fc.nat(99), at: fc.nat(1000) });

function act(world: World, { kind, at }: { kind: number; at: number }): void {
	if (kind < 25) world.deliver(at, false);
	else if (kind < 30) world.deliver(at, true);
	else if (kind < 33) world.lose(at);
	else if (kind < 45) lease(world);
	else if (kind < 60) world.settleOne(at);
	else if (kind < 63) world.loseOne(at);
	else if (kind < 80) world.run(at);
	else if (kind < 88) world.finish(at, false);
	else if (kind < 90) world.finish(at, true);
	else if (kind < 94) world.wait(at * 10);
	else if (kind < 97) world.wait(at * 300);
	else world.sweep();
}

/** Leases, and asserts that nothing is launched for a job that the relay was told runs or has ended. */
function lease(world: World): void {
	const before = new Map([...world.jobs.keys()].map((id) => [id, world.queue.job(id)]));
	for (const item of world.lease()) {
		if (item.kind === "launch") expect(["queued", "launching"]).toContain(before.get(item.job.id)?.state ?? "");
	}
}

function assertSound(world: World, ranks: Map<number, number>): void {
	const seats: string[] = [];
	for (const id of world.jobs.keys()) {
		const job = world.queue.job(id);
		if (!job) continue;
		if (job.seat) seats.push(job.seat.key);
		if (job.spare) seats.push(job.spare.key);
		expect(isEnded(job)).toBe(RANK[job.state] === 3);
		expect(RANK[job.state]).toBeGreaterThanOrEqual(ranks.get(id) ?? 0);
		ranks.set(id, RANK[job.state]);
	}
	expect(new Set(seats).size).toBe(seats.length);
}

/** Machines that were settled as launched are held by a job or marked for their end. */
function assertOwned(world: World, settled: ReadonlySet<string>): void {
	for (const id of settled) {
		const isMarked = world.queue.holder(id) !== null || world.queue.task(`terminate-${id}`) !== null;
		if (!isMarked && world.machines.get(id)?.alive) expect(world.machines.get(id)?.runs).not.toBeNull();
	}
}

describe("ledger", () => {
	test("no order, doubling or loss of events, settles and leases moves a job back, seats two jobs on one machine or leaves a machine unmarked", () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { minLength: 20, maxLength: 150 }), (count, steps) => {
				const world = createWorld(count);
				const ranks = new Map<number, number>();
				const settled = new Set<string>();
				for (const one of steps) {
					const before = new Set(world.inFlight);
					act(world, one);
					if (one.kind >= 45 && one.kind < 60)
						for (const gone of before) if (!world.inFlight.includes(gone) && gone.outcome === "launched") settled.add(gone.instanceId);
					assertSound(world, ranks);
					assertOwned(world, settled);
				}
			}),
			{ numRuns: 300, seed: 20261117 },
		);
	}, 60_000);

	test("whatever happened, every job ends and no machine stays once the world is left to run on", () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 120 }), (count, steps) => {
				const world = createWorld(count);
				for (const one of steps) act(world, one);
				// Every first word arrives in the end; all else may stay lost, for checks repair it.
				for (let round = 0; round < 60; round++) {
					for (let n = 0; n < 12; n++) world.deliver(0, false);
					lease(world);
					while (world.inFlight.length > 0) world.settleOne(0);
					for (let n = 0; n < 6; n++) world.run(n);
					for (let n = 0; n < 6; n++) world.finish(n, false);
					world.wait(70_000);
					world.sweep();
				}
				expect([...world.jobs.keys()].map((id) => world.queue.job(id)?.state)).toEqual([...world.jobs].map(() => "done"));
				expect([...world.machines.values()].filter(({ alive }) => alive)).toEqual([]);
			}),
			{ numRuns: 200, seed: 20261118 },
		);
	}, 60_000);
});
