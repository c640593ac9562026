// The relay's rules without its front door, on rows in memory, with a clock that is set by hand.
import type { JobState } from "../../contract/job.ts";
import type { Report } from "../../contract/report.ts";
import type { Outcome } from "../../contract/settle.ts";
import type { Caps } from "../../relay/caps.ts";
import { DEFAULT_CLOCKS as clocks, LIMITS } from "../../relay/clocks.ts";
import { handOut } from "../../relay/hand-out.ts";
import { note } from "../../relay/note.ts";
import { observe } from "../../relay/observe.ts";
import type { Queue } from "../../relay/queue.ts";
import { receive } from "../../relay/receive.ts";
import { settle } from "../../relay/settle.ts";
import { freshRows, instanceId, jobEvent, machineOf, START } from "./ledger-rows.ts";

const intake = { maxOpenJobs: 1000, clocks };
let deliveries = 0;

/** A ledger that knows nothing yet. */
export function ledger() {
	const { queue, database } = freshRows();
	let now = START;
	let leases = 0;
	const answer = (max = 100, caps: Caps = {}) =>
		handOut(queue, { max, requestId: `r-${leases}`, caps }, () => `l-${++leases}`, now, clocks);
	return {
		queue,
		database,
		now: () => now,
		wait: (milliseconds: number) => {
			now += milliseconds;
		},
		hear: (...event: Parameters<typeof jobEvent>) => receive(queue, { id: `d-${++deliveries}`, event: jobEvent(...event) }, intake, now),
		lease: (max = 100, caps: Caps = {}) => answer(max, caps).work,
		answer,
		report: (n: number, phase: Report["phase"], more: Partial<Report> = {}) =>
			note(
				queue,
				{ version: 1, instanceId: instanceId(n), sequence: 1, phase, at: now, jobId: n, reason: null, measurements: {}, ...more },
				now,
				clocks,
			),
		settle: (...results: Outcome[]) => settle(queue, results, now, clocks),
		observe: (facts: Partial<Parameters<typeof observe>[1]>) =>
			observe(queue, { jobs: [], runs: [], machines: [], complete: false, ...facts }, intake, now),
	};
}
export type Ledger = ReturnType<typeof ledger>;

export function leaseOf(it: Ledger, id: number) {
	const item = it.lease().find(({ workId }) => workId.endsWith(`-${id}`));
	if (!item) throw new Error(`nothing was handed out for job ${id}`);
	return { workId: item.workId, leaseId: item.leaseId };
}
export function stateOf(queue: Queue, id = 1): JobState | undefined {
	return queue.job(id)?.state;
}
export const intent = (token = "t-1", members = [1]) => ({ outcome: "launching" as const, token, members, request: { token } });

/** Brings job 1 to a state. */
export function reach(state: JobState): Ledger {
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
