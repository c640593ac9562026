// The state machine's rules as rows: what GitHub says, and what the poller settles.
import { describe, expect, test } from "bun:test";
import type { JobState } from "../../contract/job.ts";
import type { Outcome } from "../../contract/settle.ts";
import { DEFAULT_CLOCKS as clocks, LIMITS } from "../../relay/clocks.ts";
import { handOut, nextWorkAt } from "../../relay/hand-out.ts";
import { observe } from "../../relay/observe.ts";
import type { Queue } from "../../relay/queue.ts";
import { receive } from "../../relay/receive.ts";
import { settle } from "../../relay/settle.ts";
import { freshRows, instanceId, jobEvent, machineOf, START } from "./ledger-rows.ts";

const intake = { maxOpenJobs: 1000, clocks };
let deliveries = 0;

/** The relay without its front door, with a clock that is set by hand. */
function ledger() {
	const { queue } = freshRows();
	let now = START;
	let leases = 0;
	return {
		queue,
		now: () => now,
		wait: (milliseconds: number) => {
			now += milliseconds;
		},
		hear: (...event: Parameters<typeof jobEvent>) => receive(queue, { id: `d-${++deliveries}`, event: jobEvent(...event) }, intake, now),
		lease: (max = 100) => handOut(queue, max, () => `l-${++leases}`, now, clocks).work,
		settle: (...results: Outcome[]) => settle(queue, results, now, clocks),
		observe: (facts: Partial<Parameters<typeof observe>[1]>) =>
			observe(queue, { jobs: [], runs: [], machines: [], complete: false, ...facts }, intake, now),
	};
}
type Ledger = ReturnType<typeof ledger>;

function leaseOf(it: Ledger, id: number) {
	const item = it.lease().find(({ workId }) => workId.endsWith(`-${id}`));
	if (!item) throw new Error(`nothing was handed out for job ${id}`);
	return { workId: item.workId, leaseId: item.leaseId };
}
function stateOf(queue: Queue, id = 1): JobState | undefined {
	return queue.job(id)?.state;
}
const intent = (token = "t-1", members = [1]) => ({ outcome: "launching" as const, token, members, request: { token } });

/** Brings job 1 to a state. */
function reach(state: JobState): Ledger {
	const it = ledger();
	if (state === "waiting") it.hear(1, "queued", { status: "waiting" });
	else it.hear(1, "queued");
	if (["waiting", "queued"].includes(state)) return it;
	const lease = leaseOf(it, 1);
	if (state === "refused") it.settle({ ...lease, outcome: "refused", reason: "no" });
	else if (state === "dead")
		for (let n = 0; n <= LIMITS.failedBoots; n++) it.settle({ ...(n ? leaseOf(it, 1) : lease), outcome: "failed", reason: "no" });
	else it.settle({ ...lease, ...intent() });
	if (["launched", "running", "done"].includes(state)) it.settle({ ...lease, outcome: "launched", ...machineOf(1) });
	if (["running", "done"].includes(state)) it.hear(1, "in_progress", { runnerName: machineOf(1).runnerName });
	if (state === "done") it.hear(1, "completed", { runnerName: machineOf(1).runnerName, conclusion: "success" });
	return it;
}

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
		["refused", "completed", "refused"],
		["dead", "in_progress", "running"],
		["dead", "completed", "dead"],
	];
	for (const [from, action, to] of rows)
		test(`${action} leaves a ${from} job ${to}`, () => {
			const it = reach(from);
			it.queue.saveJob({ ...(it.queue.job(1) as NonNullable<ReturnType<Queue["job"]>>), heard: [] });
			const runs = action === "in_progress" || action === "completed";
			it.hear(1, action, { runnerName: runs ? runnerName : null, conclusion: action === "completed" ? "success" : null });
			expect(stateOf(it.queue)).toBe(to);
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

	test("GitHub's 404 ends a job after three readings over five minutes, and a sign of life starts the count anew", () => {
		const it = reach("queued");
		const read = () => it.settle({ ...leaseOf(it, 1), outcome: "gone" });
		read();
		expect(it.lease()).toEqual([]);
		it.wait(clocks.goneWindow / 2);
		read();
		expect(stateOf(it.queue)).toBe("queued");
		it.wait(clocks.goneWindow / 2);
		read();
		expect(it.queue.job(1)).toMatchObject({ state: "done", conclusion: null, reason: "GitHub no longer knows it" });
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

describe("budgets", () => {
	test("no more launches are handed out than JIT calls can be paid for", () => {
		const it = ledger();
		for (let id = 1; id <= 250; id++) it.hear(id, "queued");
		expect([it.lease().length, it.lease().length, it.lease().length]).toEqual([100, 80, 0]);
		expect(nextWorkAt(it.queue, it.now())).toBeGreaterThan(it.now());
		it.wait(5000);
		expect(it.lease()).toHaveLength(15);
	});
});

describe("machines", () => {
	const fact = (it: Ledger, n: number, state: "running" | "terminated" = "running", age = 0) => ({
		...{ instanceId: instanceId(n), state, launchedAt: it.now() - age, stateReason: null, privateIp: null },
	});

	test("the machine of a job that has ended is terminated if it does not switch itself off", () => {
		const it = reach("done");
		expect(it.observe({ machines: [fact(it, 1)] }).machines).toMatchObject([{ verdict: "keep" }]);
		it.wait(clocks.offAfter + 1);
		expect(it.observe({ machines: [fact(it, 1)] }).machines).toMatchObject([{ verdict: "terminate", force: false }]);
	});

	test("one older than the hard limit is terminated whatever it runs", () => {
		const it = reach("running");
		expect(it.observe({ machines: [fact(it, 1, "running", clocks.hardLimit + 1)] }).machines).toMatchObject([
			{ verdict: "terminate", force: true },
		]);
	});

	test("the end of a machine brings its job's next check forward once, by EC2's word or by its absence", () => {
		for (const facts of [{ machines: [] as never[], complete: true }, null]) {
			const it = reach("running");
			it.wait(clocks.absentAfter + 1);
			const gone = facts ?? { machines: [fact(it, 1, "terminated")] };
			it.observe(gone);
			const dueAt = it.now() + clocks.goneCheckAfter;
			expect(it.queue.job(1)?.dueAt).toBe(dueAt);
			it.wait(1000);
			it.observe(gone);
			expect(it.queue.job(1)?.dueAt).toBe(dueAt);
		}
	});

	test("an incomplete list says nothing of the machines it leaves out", () => {
		const it = reach("running");
		it.wait(clocks.absentAfter + 1);
		const before = it.queue.job(1);
		it.observe({ machines: [], complete: false });
		expect(it.queue.job(1)).toEqual(before);
	});

	test("the end of a second machine leaves the job and its own machine alone", () => {
		const it = reach("queued");
		const lease = leaseOf(it, 1);
		it.settle({ ...lease, outcome: "launched", ...machineOf(1) });
		it.settle({ ...lease, leaseId: "late", outcome: "launched", ...machineOf(2) });
		const [end] = it.lease();
		it.settle({ workId: end?.workId ?? "", leaseId: end?.leaseId ?? "", outcome: "terminated" });
		expect(it.queue.job(1)).toMatchObject({ state: "launched", seat: { key: instanceId(1) } });
		expect(it.lease()).toEqual([]);
	});
});
