// What holds launches back beside the clock: caps of owners, spot machines taken back, a runner that GitHub gives no jobs; and what comes
// back to the budget when a launch ends before its registration.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { WorkItem } from "../../contract/lease.ts";
import type { Caps } from "../../relay/caps.ts";
import { DEFAULT_CLOCKS as clocks, JIT_CALLS_A_MINUTE } from "../../relay/clocks.ts";
import { jobDetail, listJobs, stats, whyWaits } from "../../relay/figures.ts";
import { nextWorkAt, switchesOf } from "../../relay/hand-out.ts";
import { instanceId, jobEvent, machineOf } from "./ledger-rows.ts";
import { intent, type Ledger, leaseOf, ledger, reach, stateOf } from "./ledger-under-test.ts";

const jobOf = (item: WorkItem) => (item.kind === "launch" ? item.job.id : 0);
const launched = (it: Ledger, id: number, lease = leaseOf(it, id)) => {
	it.settle({ ...lease, ...intent(`t-${id}`, [id]) });
	it.settle({ ...lease, outcome: "launched", ...machineOf(id) });
};

describe("caps", () => {
	const caps: Caps = { "octo-org": { machines: 3, perRepository: 2 } };
	const hearOf = (it: Ledger, id: number, repository: string) => {
		const owner = repository.split("/")[0] ?? "";
		it.hear(id, "queued", { job: { ...jobEvent(id, "queued").job, repository, owner } });
	};

	test("an owner and each of its repositories get so many machines at a time; others are not held back", () => {
		const it = ledger();
		const all = ["octo-org/a", "octo-org/a", "Octo-Org/A", "octo-org/b", "octo-org/b", "other/c", "other/c", "other/c", "other/c"];
		for (const [at, repository] of all.entries()) hearOf(it, at + 1, repository);
		const given = it.lease(100, caps).map((item) => (item.kind === "launch" ? item.job.id : 0));
		expect(given.toSorted((a, b) => a - b)).toEqual([1, 2, 4, 6, 7, 8, 9]);
	});

	test("a job without room is not due, says why it waits, and is handed out when a machine of its owner is done", () => {
		const it = ledger();
		const one: Caps = { "octo-org": { machines: 1, perRepository: null } };
		for (const id of [1, 2]) hearOf(it, id, "octo-org/a");
		const [first] = it.lease(100, one);
		if (first) launched(it, 1, first);
		expect(it.lease(100, one)).toEqual([]);
		expect(nextWorkAt(it.queue, it.now(), one)).toBeGreaterThan(it.now());
		expect(nextWorkAt(it.queue, it.now())).toBeLessThanOrEqual(it.now());
		const why = whyWaits(it.queue, one, it.now());
		expect(jobDetail(it.queue, 2, why)?.reason).toBe("octo-org has as many machines as it may have at a time: 1");
		expect(listJobs(it.queue, "queued", 5, why).jobs[0]?.reason).toContain("octo-org has");
		it.hear(1, "completed", { conclusion: "success", runnerName: machineOf(1).runnerName });
		expect(it.lease(100, one)).toMatchObject([{ kind: "launch", job: { id: 2 } }]);
	});

	test("a launch under way is handed out again whatever the cap", () => {
		const it = reach("launching");
		it.wait(clocks.lease + 1);
		expect(it.lease(100, { "octo-org": { machines: 1, perRepository: 1 } })).toMatchObject([{ kind: "launch", intent: { token: "t-1" } }]);
	});

	test("a job that was handed out keeps its room when its lease has run out: its launch may still be decided", () => {
		const it = ledger();
		const one: Caps = { "octo-org": { machines: 1, perRepository: null } };
		for (const id of [1, 2]) hearOf(it, id, "octo-org/a");
		const [first] = it.lease(1, one);
		it.wait(clocks.firstLease + 1);
		expect(nextWorkAt(it.queue, it.now(), one)).toBeLessThanOrEqual(it.now());
		const again = it.lease(100, one);
		expect([first, ...again].map((item) => item && jobOf(item))).toEqual([1, 1]);
	});

	test("whatever comes in whatever order, no owner and no repository has more than it may", () => {
		const step = fc.record({ repository: fc.constantFrom("octo-org/a", "octo-org/b", "other/c"), what: fc.nat(3), max: fc.nat(5) });
		const run = (steps: { repository: string; what: number; max: number }[]) => {
			const it = ledger();
			const held = new Map<number, string>();
			for (const [at, { repository, what, max }] of steps.entries()) {
				if (what < 2) hearOf(it, at + 1, repository);
				for (const item of what === 2 ? it.lease(max + 1, caps) : [])
					if (item.kind === "launch") {
						launched(it, item.job.id, item);
						held.set(item.job.id, item.job.repository);
					}
				const [running] = held.keys();
				if (what === 3 && running !== undefined) {
					it.hear(running, "completed", { conclusion: "success", runnerName: machineOf(running).runnerName });
					held.delete(running);
				}
				const count = (name: string) => [...held.values()].filter((repository) => repository.startsWith(name)).length;
				expect(count("octo-org/")).toBeLessThanOrEqual(3);
				for (const name of ["octo-org/a", "octo-org/b"]) expect(count(name)).toBeLessThanOrEqual(2);
			}
		};
		fc.assert(fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), run), { numRuns: 100 });
	});
});

describe("the spot breaker", () => {
	const taken = (n: number) => ({
		...{ instanceId: instanceId(n), state: "terminated" as const, launchedAt: 0, stateReason: "Server.SpotInstanceTermination" },
		...{ privateIp: null, token: null },
	});
	function twoRunning(): Ledger {
		const it = ledger();
		for (const id of [1, 2, 3]) it.hear(id, "queued");
		for (const item of it.lease(2)) if (item.kind === "launch") launched(it, item.job.id, item);
		return it;
	}

	test("two machines taken back within a quarter of an hour stop spot for half an hour", () => {
		const it = twoRunning();
		it.observe({ machines: [taken(1)] });
		expect(it.answer(1).budgets.onDemandOnly).toBe(false);
		it.wait(clocks.breakerWindow - 1);
		it.observe({ machines: [taken(1), taken(2)] });
		expect(it.answer(1).budgets.onDemandOnly).toBe(true);
		expect(stats(it.queue, 0, it.now()).spotPausedUntil).toBe(it.now() + clocks.breakerOpen);
		it.wait(clocks.breakerOpen);
		expect(it.answer(1).budgets.onDemandOnly).toBe(false);
		expect(stats(it.queue, 0, it.now()).spotPausedUntil).toBeNull();
	});

	test("one machine that is looked at again and again counts once, and two that are far apart do not trip it", () => {
		const it = twoRunning();
		for (let look = 0; look < 5; look++) it.observe({ machines: [taken(1)] });
		expect(it.answer(1).budgets.onDemandOnly).toBe(false);
		it.wait(clocks.breakerWindow + 1);
		it.observe({ machines: [taken(1), taken(2)] });
		expect(it.answer(1).budgets.onDemandOnly).toBe(false);
	});

	test("what a machine says of itself does not trip it: a job could forge that", () => {
		const it = twoRunning();
		for (const n of [1, 2]) it.report(n, "interrupted");
		expect(it.answer(1).budgets.onDemandOnly).toBe(false);
		for (const n of [1, 2]) it.observe({ machines: [taken(n)] });
		expect(it.answer(1).budgets.onDemandOnly).toBe(true);
	});
});

describe("a runner whose version is deprecated", () => {
	const reason = "the runner's version 2.300.0 is deprecated: GitHub gives it no jobs";
	function twoLaunched(): Ledger {
		const it = ledger();
		for (const id of [1, 2, 3]) it.hear(id, "queued");
		for (const item of it.lease(2)) if (item.kind === "launch") launched(it, item.job.id, item);
		return it;
	}

	test("two machines that say so pause launching, with the reason in every answer", () => {
		const it = twoLaunched();
		it.report(1, "deprecated", { reason });
		expect(it.answer(1).budgets).toMatchObject({ paused: false, alarm: null });
		it.report(2, "deprecated", { reason });
		const { work, budgets } = it.answer();
		expect(budgets).toMatchObject({ paused: true, alarm: `${instanceId(1)} and ${instanceId(2)}: ${reason}` });
		expect(work.filter(({ kind }) => kind === "launch")).toEqual([]);
		expect(switchesOf(it.queue).pause).toBe(true);
	});

	test("one machine that says it twice, or a machine on which a job runs, pauses nothing", () => {
		const it = twoLaunched();
		for (const sequence of [1, 2, 3]) it.report(1, "deprecated", { reason, sequence });
		it.hear(2, "in_progress", { runnerName: machineOf(2).runnerName });
		it.report(2, "deprecated", { reason });
		expect(it.answer(1).budgets).toMatchObject({ paused: false, alarm: null });
	});
});

describe("the environment of a job", () => {
	const found = (it: Ledger) => {
		const { job } = jobEvent(1, "queued");
		it.observe({ jobs: [{ job, status: "queued", conclusion: null, runnerName: null, createdAt: it.now() }] });
	};
	const deployment = { environment: "production" };

	test("is unknown of one that was found without a webhook, until its webhook comes after all", () => {
		const it = ledger();
		found(it);
		expect(it.lease()).toMatchObject([{ environment: null, isEnvironmentKnown: false }]);
		it.hear(1, "queued", deployment);
		it.wait(clocks.firstLease + 1);
		expect(it.lease()).toMatchObject([{ environment: "production", isEnvironmentKnown: true }]);
	});

	test("is unknown of one that is known to have waited for an approval alone: it has one, and nobody told which", () => {
		const it = ledger();
		it.hear(1, "waiting");
		it.wait(clocks.waiting);
		it.settle({ ...leaseOf(it, 1), outcome: "notQueued", status: "queued", conclusion: null, runnerName: null });
		expect(it.lease()).toMatchObject([{ source: "webhook", environment: null, isEnvironmentKnown: false }]);
		// Nor does the delivery after the approval have to.
		it.hear(1, "queued");
		it.wait(clocks.firstLease + 1);
		expect(it.lease()).toMatchObject([{ environment: null, isEnvironmentKnown: false }]);
	});

	test("is known of one that any webhook named it of", () => {
		const it = ledger();
		it.hear(1, "waiting", deployment);
		it.wait(clocks.waiting);
		it.settle({ ...leaseOf(it, 1), outcome: "notQueued", status: "queued", conclusion: null, runnerName: null });
		expect(it.lease()).toMatchObject([{ environment: "production", isEnvironmentKnown: true }]);
	});

	test("comes with the webhook that queues a refused one again", () => {
		const it = ledger();
		found(it);
		it.settle({ ...leaseOf(it, 1), outcome: "refused", reason: "its webhook was lost" });
		it.hear(1, "queued", deployment);
		expect(it.lease()).toMatchObject([{ environment: "production", isEnvironmentKnown: true }]);
	});

	test("is known to be none when its webhook names none", () => {
		const it = ledger();
		it.hear(1, "queued");
		expect(it.lease()).toMatchObject([{ environment: null, isEnvironmentKnown: true }]);
	});
});

describe("budgets", () => {
	test.each(["refused", "gone", "notQueued", "later"] as const)("a launch that ends as %s gives its registration back", (outcome) => {
		const it = ledger();
		for (let id = 1; id <= 300; id++) it.hear(id, "queued");
		const ends = {
			...{ refused: { outcome: "refused" as const, reason: "no" }, gone: { outcome: "gone" as const } },
			notQueued: { outcome: "notQueued" as const, status: "completed" as const, conclusion: null, runnerName: null },
			later: { outcome: "later" as const, notBefore: it.now() + 60_000, class: "capacity" as const, reason: "none" },
		};
		for (const { workId, leaseId } of it.lease(100)) it.settle({ workId, leaseId, ...ends[outcome] });
		const next = it.lease(100);
		expect(next).toHaveLength(100);
		// Those are kept: what they paid for is spent.
		expect(it.lease(100)).toHaveLength(JIT_CALLS_A_MINUTE - 100);
		expect(stateOf(it.queue, 300)).toBe("queued");
	});

	test("a registration counts from when it was made, however long before it was granted", () => {
		const it = ledger();
		for (let id = 1; id <= 300; id++) it.hear(id, "queued");
		const first = it.lease(100);
		for (const item of first) it.settle({ workId: item.workId, leaseId: item.leaseId, ...intent(`t-${item.workId}`, [jobOf(item)]) });
		it.wait(50_000);
		for (const item of first) it.settle({ workId: item.workId, leaseId: item.leaseId, outcome: "launched", ...machineOf(jobOf(item)) });
		it.wait(20_000);
		expect(it.lease(100).filter(({ kind }) => kind === "launch")).toHaveLength(JIT_CALLS_A_MINUTE - 100);
	});

	test("a registration that was made is not given back", () => {
		const it = ledger();
		for (let id = 1; id <= 300; id++) it.hear(id, "queued");
		for (const { workId, leaseId } of it.lease(100)) it.settle({ workId, leaseId, outcome: "failed", reason: "its boot came to nothing" });
		expect(it.lease(100)).toHaveLength(JIT_CALLS_A_MINUTE - 100);
	});
});
