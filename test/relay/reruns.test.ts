// Which machines a rerun is told of, and what becomes of one that cannot be.
import { describe, expect, test } from "bun:test";
import type { JobState } from "../../contract/job.ts";
import type { RerunItem } from "../../contract/lease.ts";
import { DEFAULT_CLOCKS as clocks, LIMITS } from "../../relay/clocks.ts";
import { jobDetail } from "../../relay/figures.ts";
import { instanceId, machineOf } from "./ledger-rows.ts";
import { intent, type Ledger, leaseOf, reach, stateOf } from "./ledger-under-test.ts";

const taken = (n: number) => ({
	...{ instanceId: instanceId(n), state: "terminated" as const, launchedAt: 0, stateReason: "Server.SpotInstanceTermination" },
	...{ privateIp: null, token: null },
});
const fails = (it: Ledger, n = 1) => it.hear(1, "completed", { runnerName: machineOf(n).runnerName, conclusion: "failure" });
const rerunOf = (it: Ledger): RerunItem | undefined => it.lease().find((item) => item.kind === "rerun");

describe("a rerun names the machine on which the job ran, and whether EC2 said that it took it", () => {
	test.each<[string, (it: Ledger) => void, RerunItem["machines"]]>([
		[
			"before the job's end",
			(it) => [it.observe({ machines: [taken(1)] }), fails(it)],
			[{ instanceId: instanceId(1), jobId: 1, takenBack: true }],
		],
		["after it", (it) => [fails(it), it.observe({ machines: [taken(1)] })], [{ instanceId: instanceId(1), jobId: 1, takenBack: true }]],
		["not at all", (it) => [it.report(1, "interrupted"), fails(it)], [{ instanceId: instanceId(1), jobId: 1, takenBack: false }]],
		[
			"after the machine itself",
			(it) => [it.report(1, "interrupted"), fails(it), it.observe({ machines: [taken(1)] })],
			[{ instanceId: instanceId(1), jobId: 1, takenBack: true }],
		],
		[
			"of one that was made for another job",
			(it) => [it.hear(1, "in_progress", { runnerName: machineOf(2).runnerName }), it.observe({ machines: [taken(2)] }), fails(it, 2)],
			[{ instanceId: instanceId(2), jobId: 1, takenBack: true }],
		],
	])("%s", (_, happens, expected) => {
		const it = reach("running");
		happens(it);
		expect(rerunOf(it)?.machines).toEqual(expected);
	});
});

test.each<JobState>(["refused", "dead"])(
	"of a %s job that ran on another one's machine all the same, though only its end was heard",
	(state) => {
		const it = reach(state);
		it.hear(2, "queued");
		const lease = leaseOf(it, 2);
		it.settle({ ...lease, ...intent("t", [2]) }, { ...lease, outcome: "launched", ...machineOf(2) });
		it.observe({ machines: [taken(2)] });
		fails(it, 2);
		expect(rerunOf(it)?.machines).toEqual([{ instanceId: instanceId(2), jobId: 1, takenBack: true }]);
		// The machine is no longer the other job's: that one gets another.
		expect(it.queue.job(2)).toMatchObject({ state: "queued", seat: null });
	},
);

test("a rerun that was refused is not tried again, and its job says why it is not run again", () => {
	const it = reach("running");
	it.observe({ machines: [taken(1)] });
	fails(it);
	const { workId = "", leaseId = "" } = rerunOf(it) ?? {};
	it.settle({ workId, leaseId, outcome: "refused", reason: "the run was cancelled" });
	it.wait(clocks.retry * 10);
	it.observe({ machines: [taken(1)] });
	expect(rerunOf(it)).toBeUndefined();
	expect(jobDetail(it.queue, 1)?.reason).toBe("GitHub completed it: failure; not run again: the run was cancelled");
});

describe("a rerun for which GitHub does not find the run", () => {
	const interruptedRun = (): Ledger => {
		const it = reach("running");
		it.observe({ machines: [taken(1)] });
		fails(it);
		return it;
	};
	const settleOnce = (it: Ledger, outcome: "failed" | "later") => {
		const { workId = "", leaseId = "" } = rerunOf(it) ?? {};
		const reason = outcome === "failed" ? "GitHub does not find the run" : "the run is in_progress";
		const body = outcome === "failed" ? { outcome, reason } : { outcome, reason, class: "throttled" as const, notBefore: it.now() };
		it.settle({ workId, leaseId, ...body });
		it.wait(clocks.retry);
	};

	test("in a row is left to people after some tries", () => {
		const it = interruptedRun();
		for (let n = 1; n <= LIMITS.taskTries; n++) settleOnce(it, "failed");
		expect(rerunOf(it)).toBeUndefined();
		expect(jobDetail(it.queue, 1)?.reason).toEndWith("not run again: GitHub does not find the run");
	});

	test("now and then goes on for as long as the run does", () => {
		const it = interruptedRun();
		for (let n = 1; n <= 3 * LIMITS.taskTries; n++) settleOnce(it, n % 3 === 0 ? "later" : "failed");
		expect(rerunOf(it)).toBeDefined();
	});
});

test("a rerun's copy of a job that ended leaves the machine and its times with the job that ran there", () => {
	const it = reach("done");
	const before = it.queue.job(1)?.seat;
	it.hear(2, "completed", { runnerName: machineOf(1).runnerName, conclusion: "success" });
	expect(it.queue.job(1)?.seat).toEqual(before as NonNullable<typeof before>);
	expect([stateOf(it.queue, 2), it.queue.job(2)?.seat]).toEqual(["done", null]);
});
