// The state machine's rules as rows: what GitHub says, and what the poller settles.
import { describe, expect, test } from "bun:test";
import type { JobState } from "../../contract/job.ts";
import { DEFAULT_CLOCKS as clocks, LIMITS } from "../../relay/clocks.ts";
import type { Queue } from "../../relay/queue.ts";
import { instanceId, jobEvent, machineOf, START } from "./ledger-rows.ts";
import { intent, leaseOf, ledger, reach, stateOf } from "./ledger-under-test.ts";

describe("what GitHub says", () => {
	const runnerName = machineOf(1).runnerName;
	const rows: [from: JobState, action: "queued" | "waiting" | "in_progress" | "completed", to: JobState][] = [
		["waiting", "queued", "queued"],
		["waiting", "waiting", "waiting"],
		["waiting", "in_progress", "running"],
		["queued", "waiting", "queued"],
		["queued", "in_progress", "running"],
		["queued", "completed", "done"],
		["launching", "waiting", "launching"],
		["launching", "in_progress", "running"],
		["launching", "completed", "done"],
		["launched", "waiting", "launched"],
		["launched", "in_progress", "running"],
		["launched", "completed", "done"],
		["running", "waiting", "running"],
		["running", "completed", "done"],
		["done", "waiting", "done"],
		["done", "queued", "done"],
		["refused", "queued", "queued"],
		["refused", "in_progress", "running"],
		["refused", "completed", "done"],
		["dead", "in_progress", "running"],
		["dead", "completed", "done"],
	];
	for (const [from, action, to] of rows)
		test(`${action} leaves a ${from} job ${to}`, () => {
			const it = reach(from);
			it.queue.saveJob({ ...(it.queue.job(1) as NonNullable<ReturnType<Queue["job"]>>), heard: [] });
			const runs = action === "in_progress" || action === "completed";
			it.hear(1, action, { runnerName: runs ? runnerName : null, conclusion: action === "completed" ? "success" : null });
			expect(stateOf(it.queue)).toBe(to);
		});

	test.each<JobState>(["refused", "dead"])("completed on no runner of ours leaves a %s job as it is, with GitHub's conclusion", (from) => {
		for (const runner of [null, "somebody's runner"]) {
			const it = reach(from);
			it.hear(1, "completed", { runnerName: runner, conclusion: "cancelled" });
			expect(it.queue.job(1)).toMatchObject({ state: from, conclusion: "cancelled" });
		}
	});

	test("in_progress without a runner moves nothing", () => {
		const it = reach("queued");
		it.hear(1, "in_progress");
		expect(stateOf(it.queue)).toBe("queued");
	});

	test("a job that runs on a runner of others leaves its machine for its end", () => {
		const it = reach("launched");
		it.hear(1, "in_progress", { runnerName: "somebody's runner" });
		expect(it.queue.job(1)).toMatchObject({ state: "running", seat: null });
		it.wait(clocks.spareAfter);
		expect(it.lease()).toMatchObject([{ kind: "terminate", instanceId: instanceId(1) }]);
	});

	test("a burst whose machines take each other's jobs before any settle arrives launches nothing twice and ends nothing that runs", () => {
		const it = ledger();
		const ids = Array.from({ length: 40 }, (_, n) => n + 1);
		for (const id of ids) it.hear(id, "queued");
		const leases = it.lease();
		it.settle(...leases.map(({ workId, leaseId }) => ({ workId, leaseId, ...intent("t", ids) })));
		// Half of the machines run something before their launch is settled: job n on machine 3n mod 41.
		for (const id of ids.slice(0, 20)) it.hear(id, "in_progress", { runnerName: machineOf((id * 3) % 41).runnerName });
		it.settle(...leases.map(({ workId, leaseId }, n) => ({ workId, leaseId, outcome: "launched" as const, ...machineOf(n + 1) })));
		for (const id of ids.slice(20)) it.hear(id, "in_progress", { runnerName: machineOf((id * 3) % 41).runnerName });
		it.wait(clocks.spareAfter * 2);
		expect(it.lease().map(({ workId }) => workId)).toEqual([]);
		for (const id of ids)
			expect(it.queue.job(id)).toMatchObject({ state: "running", seat: { key: instanceId((id * 3) % 41), machine: {} } });
	});
});

describe("what the poller settles", () => {
	test("a failed boot goes back to the queue three times, then the job is dead", () => {
		const it = reach("queued");
		for (let n = 1; n <= LIMITS.failedBoots; n++) {
			it.settle({ ...leaseOf(it, 1), outcome: "failed", reason: "no boot" });
			expect(stateOf(it.queue)).toBe("queued");
		}
		it.settle({ ...leaseOf(it, 1), outcome: "failed", reason: "no boot" });
		expect(it.queue.job(1)).toMatchObject({ state: "dead", dueAt: null, reason: "4 boots failed: no boot" });
	});

	test("a launch put off waits until its moment, keeps no intent, and is given up after the time for it", () => {
		const it = reach("queued");
		const lease = leaseOf(it, 1);
		it.settle({ ...lease, ...intent() });
		const notBefore = it.now() + 90_000;
		it.settle({ ...lease, outcome: "later", notBefore, class: "capacity", reason: "no capacity" });
		expect(it.queue.job(1)).toMatchObject({ state: "queued", dueAt: notBefore, intent: null, failedBoots: 0 });
		expect(it.lease()).toEqual([]);
		it.wait(clocks.giveUpAfter);
		it.settle({ ...leaseOf(it, 1), outcome: "later", notBefore: it.now(), class: "capacity", reason: "no capacity" });
		expect(stateOf(it.queue)).toBe("dead");
	});

	test("a launch that was decided keeps its intent where EC2 was not asked again, and is handed out with it at its moment", () => {
		const it = reach("queued");
		const launching = intent();
		it.settle({ ...leaseOf(it, 1), ...launching });
		it.wait(clocks.lease);
		const notBefore = it.now() + 90_000;
		it.settle({ ...leaseOf(it, 1), outcome: "later", notBefore, class: "throttled", reason: "GitHub is away", intent: "kept" });
		expect(it.queue.job(1)).toMatchObject({ state: "launching", dueAt: notBefore, reason: "GitHub is away" });
		expect(it.lease()).toEqual([]);
		it.wait(90_000);
		expect(it.lease()).toMatchObject([{ kind: "launch", intent: { token: launching.token, members: launching.members } }]);
	});

	test("what keeps an intent has one: a launch that was not decided only waits", () => {
		const it = reach("queued");
		it.settle({ ...leaseOf(it, 1), outcome: "later", notBefore: it.now(), class: "throttled", reason: "GitHub is away", intent: "kept" });
		expect(it.queue.job(1)).toMatchObject({ state: "queued", intent: null });
	});

	test("a budget of our own never gives a job up", () => {
		const it = reach("queued");
		for (let n = 0; n < 5; n++) {
			it.settle({ ...leaseOf(it, 1), outcome: "later", notBefore: it.now(), class: "budget", reason: "too many of this repository" });
			it.wait(clocks.giveUpAfter);
		}
		expect(stateOf(it.queue)).toBe("queued");
	});

	test("failures of a kind nobody knows are bounded", () => {
		const it = reach("queued");
		for (let n = 0; n <= LIMITS.unknowns; n++)
			it.settle({ ...leaseOf(it, 1), outcome: "later", notBefore: it.now(), class: "unknown", reason: "what?" });
		expect(stateOf(it.queue)).toBe("dead");
	});

	test("GitHub's 404 ends a job after three readings over five minutes, until a look finds it queued after all, and a sign of life starts the count anew", () => {
		const it = reach("queued");
		const read = () => it.settle({ ...leaseOf(it, 1), outcome: "gone" });
		read();
		expect(it.queue.job(1)).toMatchObject({ state: "queued", reason: expect.stringContaining("GitHub did not find it: reading 1") });
		expect(it.lease()).toEqual([]);
		it.wait(clocks.goneWindow / 2);
		read();
		expect(stateOf(it.queue)).toBe("queued");
		it.wait(clocks.goneWindow / 2);
		read();
		expect(it.queue.job(1)).toMatchObject({ state: "done", conclusion: null, reason: "GitHub no longer knows it" });
		const seen = (status: "queued" | "completed") =>
			it.observe({ jobs: [{ job: jobEvent(1, "queued").job, status, conclusion: null, runnerName: null, createdAt: START }] });
		seen("queued");
		expect(it.queue.job(1)).toMatchObject({ state: "queued", gone: null, reason: "GitHub queued it again" });
		expect(it.lease()).toHaveLength(1);
		seen("completed");
		seen("queued");
		expect(stateOf(it.queue)).toBe("done");
		const other = reach("queued");
		other.settle({ ...leaseOf(other, 1), outcome: "gone" });
		other.hear(1, "waiting");
		expect(other.queue.job(1)?.gone).toBeNull();
	});

	test("a read that shows the job elsewhere counts as the webhook that was lost", () => {
		const it = reach("launched");
		it.wait(clocks.checkAfter);
		it.settle({ ...leaseOf(it, 1), outcome: "notQueued", status: "in_progress", conclusion: null, runnerName: machineOf(1).runnerName });
		expect(stateOf(it.queue)).toBe("running");
		it.wait(clocks.running);
		it.settle({ ...leaseOf(it, 1), outcome: "notQueued", status: "completed", conclusion: "success", runnerName: machineOf(1).runnerName });
		expect(it.queue.job(1)).toMatchObject({ state: "done", conclusion: "success" });
	});

	test("a running job that two checks in a row find queued is queued again, and its machine is ended by way of its runner", () => {
		const it = reach("running");
		const found = () => it.settle({ ...leaseOf(it, 1), outcome: "notQueued", status: "queued", conclusion: null, runnerName: null });
		it.wait(clocks.running);
		found();
		expect(it.queue.job(1)).toMatchObject({ state: "running", dueAt: it.now() + clocks.retry });
		it.wait(clocks.retry);
		found();
		expect(it.queue.job(1)).toMatchObject({ state: "queued", seat: null, startedAt: null, reason: "GitHub queued it again" });
		const ending = { kind: "terminate", instanceId: instanceId(1), force: false };
		expect(it.lease()).toMatchObject([ending, { kind: "launch", intent: null }]);
		it.hear(1, "in_progress", { runnerName: machineOf(2).runnerName });
		expect(it.queue.job(1)).toMatchObject({ state: "running", seat: { key: instanceId(2) }, startedAt: it.now() });
	});

	test("a running job is not queued again by webhooks, lists or one check, nor by two with a sign of its run between them", () => {
		const it = reach("running");
		const found = { outcome: "notQueued", status: "queued", conclusion: null, runnerName: null } as const;
		const queued = { job: jobEvent(1, "queued").job, status: "queued" as const, conclusion: null, runnerName: null, createdAt: START };
		const signs = [
			() => it.settle({ ...leaseOf(it, 1), outcome: "extend" }),
			() => it.hear(1, "in_progress", { runnerName: machineOf(2).runnerName }),
		];
		for (const sign of signs) {
			it.wait(clocks.running);
			it.settle({ ...leaseOf(it, 1), ...found });
			it.wait(clocks.retry);
			it.hear(1, "queued");
			it.observe({ jobs: [queued] });
			sign();
		}
		it.wait(clocks.running);
		it.settle({ ...leaseOf(it, 1), ...found });
		expect(stateOf(it.queue)).toBe("running");
	});

	test("a waiting job found queued is launchable", () => {
		const it = reach("waiting");
		expect(it.lease()).toEqual([]);
		it.wait(clocks.waiting);
		const check = leaseOf(it, 1);
		expect(check.workId).toBe("check-1");
		it.settle({ ...check, outcome: "notQueued", status: "queued", conclusion: null, runnerName: null });
		expect(leaseOf(it, 1).workId).toBe("launch-1");
	});

	test("an expired lease gives the intent again, and another intent is refused", () => {
		const it = reach("launching");
		expect(it.lease()).toEqual([]);
		it.wait(clocks.lease);
		const [item] = it.lease();
		expect(item).toMatchObject({ kind: "launch", intent: { token: "t-1", members: [1], request: { token: "t-1" } } });
		const again = { workId: "launch-1", leaseId: item?.leaseId ?? "" };
		expect(it.settle({ ...again, ...intent("t-2") }).stale).toHaveProperty("launch-1");
		expect(it.settle({ ...again, ...intent("t-1") }).settled).toHaveProperty("launch-1");
	});

	test("a lease that nobody took over can still be settled after its time", () => {
		const it = reach("queued");
		const lease = leaseOf(it, 1);
		it.wait(clocks.firstLease * 2);
		expect(it.settle({ ...lease, ...intent() }).settled).toEqual({ "launch-1": { state: "launching" } });
	});

	test("a refused job stays refused when a read shows it queued", () => {
		const it = reach("refused");
		it.observe({ jobs: [{ job: jobEvent(1, "queued").job, status: "queued", conclusion: null, runnerName: null, createdAt: START }] });
		expect(stateOf(it.queue)).toBe("refused");
		expect(it.lease()).toEqual([]);
	});
});
