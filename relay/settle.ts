// The poller's outcomes, each applied to the item it names. Runs inside one transaction.
import type { JobState } from "../contract/job.ts";
import { LONGEST_TEXT } from "../contract/parse.ts";
import type { Outcome, SettleAnswer } from "../contract/settle.ts";
import type { Clocks } from "./clocks.ts";
import { isEnded, type Job } from "./job.ts";
import { settleJob } from "./ledger-settle.ts";
import type { Queue } from "./queue.ts";
import { claimOf } from "./receive.ts";
import { type Claim, launchKey, UNCLAIMED } from "./swaps.ts";
import { fitsTask, type RerunTask, settleTask, type Task, terminateKey, terminateTask } from "./tasks.ts";
import { write } from "./write.ts";

type Answer = { state: JobState | null } | { stale: string };

/** Applies results in their order, each on what the earlier ones left. Answers are keyed by workId. */
export function settle(queue: Queue, results: readonly Outcome[], now: number, clocks: Clocks): SettleAnswer {
	const answers = new Map(results.map((result) => [result.workId, settleOne(queue, result, now, clocks)]));
	const settled = [...answers].flatMap(([workId, it]) => ("stale" in it ? [] : [[workId, it] as const]));
	const stale = [...answers].flatMap(([workId, it]) => ("stale" in it ? [[workId, { reason: it.stale }] as const] : []));
	return { settled: Object.fromEntries(settled), stale: Object.fromEntries(stale) };
}

/** The job that a work item is about; null for a machine or a run. */
export function jobOfWork(workId: string): number | null {
	const id = /^(?:launch|check)-([1-9][0-9]{0,15})$/.exec(workId)?.[1];
	return id === undefined ? null : Number(id);
}

function settleOne(queue: Queue, result: Outcome, now: number, clocks: Clocks): Answer {
	const id = jobOfWork(result.workId);
	if (id !== null) return settleOfJob(queue, id, result, now, clocks);
	// Nothing but a launch brings a machine; whatever names one all the same, it must not stay unseen.
	if (result.outcome === "launched") endStranger(queue, result.instanceId, result.runnerName, now);
	const task = queue.task(result.workId);
	return task ? settleOfTask(queue, task, result, now, clocks) : { stale: "no such work" };
}

function settleOfJob(queue: Queue, id: number, result: Outcome, now: number, clocks: Clocks): Answer {
	const job = queue.job(id);
	if (!job) {
		if (result.outcome === "launched") endStranger(queue, result.instanceId, result.runnerName, now);
		return { stale: "no such job" };
	}
	const claims = { machine: machineClaim(queue, result), launch: queue.claim(launchKey(id)) };
	const { moves, stale } = settleJob(job, result, claims, now, clocks);
	const isMade = wasRegistered(job, result);
	if (stale === null && isMade !== null) queue.accountFor(isMade, now);
	if (stale === null && result.outcome === "launching") {
		const { token, members, request } = result;
		queue.saveIntent({ token, members, request }, now);
	}
	write(queue, moves, now);
	return stale === null ? { state: queue.job(id)?.state ?? null } : { stale };
}

/** Whether the registration that a launch's lease paid for was made, as its end tells; null if it does not. */
function wasRegistered({ pointer }: Job, { workId, outcome }: Outcome): boolean | null {
	if (workId !== launchKey(pointer.id)) return null;
	if (outcome === "launched" || outcome === "failed") return true;
	return ["refused", "notQueued", "gone", "later"].includes(outcome) ? false : null;
}

function machineClaim(queue: Queue, result: Outcome): Claim {
	if (result.outcome === "launched") return queue.claim(result.instanceId);
	return result.outcome === "notQueued" ? claimOf(queue, result.runnerName) : UNCLAIMED;
}

/** A machine that was launched for a job nobody knows. */
function endStranger(queue: Queue, instanceId: string, runnerName: string, now: number): void {
	const { seated, kept } = queue.claim(instanceId);
	if (seated || kept) return;
	const ending = { instanceId, runnerName, job: null, reason: "no job owns it", dueAt: now };
	queue.saveTask(terminateTask(ending, queue.task(terminateKey(instanceId)), now));
}

function settleOfTask(queue: Queue, task: Task, result: Outcome, now: number, clocks: Clocks): Answer {
	if (task.lease !== result.leaseId) return { stale: "another lease" };
	if (!fitsTask(task, result)) return { stale: `${result.outcome} is no outcome of this work` };
	const next = settleTask(task, result, now, clocks);
	if (next) queue.saveTask(next);
	else queue.dropTask(task.workId);
	if (next === null && task.kind === "rerun" && "reason" in result) tellWhyNot(queue, task, result.reason);
	const isOver = result.outcome === "terminated" || result.outcome === "gone";
	if (task.kind === "terminate" && isOver) missMachine(queue, task.instanceId, now);
	return { state: null };
}

/** For whoever reads what became of the jobs that an interruption ended. */
function tellWhyNot(queue: Queue, { machines }: RerunTask, reason: string): void {
	for (const { jobId } of machines) {
		const job = queue.job(jobId);
		const ended = job?.history.at(-1)?.reason;
		if (job?.state === "done") queue.saveJob({ ...job, reason: `${ended}; not run again: ${reason}`.slice(0, LONGEST_TEXT) });
	}
}

/** The job that still counts on a machine which has been ended is looked at at once. */
function missMachine(queue: Queue, instanceId: string, now: number): void {
	const owner = queue.holder(instanceId);
	if (owner && !isEnded(owner) && owner.lease === null) queue.saveJob({ ...owner, dueAt: now });
}
