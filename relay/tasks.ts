// Work that is no job: machines to end, runs to rerun. Pure: records and what an outcome does to them.
import type { JobPointer } from "../contract/job.ts";
import type { RerunItem } from "../contract/lease.ts";
import type { Outcome } from "../contract/settle.ts";
import { type Clocks, LIMITS } from "./clocks.ts";
import type { Job } from "./job.ts";
import type { Ending } from "./moves.ts";

interface Held {
	workId: string;
	lease: string | null;
	/** Null when there is nothing left to do. */
	dueAt: number | null;
	/** That failed, in a row. */
	tries: number;
	since: number;
}
export interface TerminateTask extends Held {
	kind: "terminate";
	instanceId: string;
	runnerName: string;
	job: JobPointer | null;
	force: boolean;
	reason: string;
}
export interface RerunTask extends Held {
	kind: "rerun";
	runId: number;
	attempt: number;
	repository: string;
	owner: string;
	installationId: number | null;
	machines: RerunItem["machines"];
}
export type Task = TerminateTask | RerunTask;

export function terminateKey(instanceId: string): string {
	return `terminate-${instanceId}`;
}
export function rerunKey(runId: number): string {
	return `rerun-${runId}`;
}

/** The task that ends a machine. One that is already there keeps its lease and its earlier moment. */
export function terminateTask(ending: Ending, before: Task | null, now: number): TerminateTask {
	const { dueAt, ...rest } = ending;
	const task = { kind: "terminate" as const, workId: terminateKey(ending.instanceId), force: false, ...rest };
	if (before?.kind !== "terminate") return { ...task, lease: null, tries: 0, since: now, dueAt };
	return { ...before, ...task, dueAt: before.lease === null ? Math.min(before.dueAt ?? dueAt, dueAt) : before.dueAt };
}

/** The task that reruns the run of an interrupted job: one for each run, once. Null when there is nothing to add. */
export function rerunTask(job: Job, before: Task | null, now: number): RerunTask | null {
	const machine = { instanceId: job.seat?.key ?? "", jobId: job.pointer.id, takenBack: job.seat?.takenBack ?? false };
	if (before?.kind === "rerun") {
		const known = before.machines.find(({ jobId }) => jobId === machine.jobId);
		// EC2's word may come after the machine's own.
		const isKnown = known?.instanceId === machine.instanceId && (known.takenBack || !machine.takenBack);
		const others = before.machines.filter((it) => it !== known);
		return before.dueAt === null || isKnown ? null : { ...before, machines: [...others, machine] };
	}
	const { runId, attempt, repository, owner, installationId } = job.pointer;
	const task = { kind: "rerun" as const, workId: rerunKey(runId), runId, attempt, repository, owner, installationId };
	return { ...task, machines: [machine], lease: null, tries: 0, since: now, dueAt: now };
}

/** Whether a job belongs to an attempt that we had rerun: it is not put on spot again. */
export function isRerun(job: JobPointer, task: Task | null): boolean {
	return task?.kind === "rerun" && task.dueAt === null && job.attempt > task.attempt;
}

/** Whether an outcome can be one of this task at all. */
export function fitsTask({ kind }: Task, { outcome }: Outcome): boolean {
	if (outcome === "terminated" || outcome === "kept") return kind === "terminate";
	if (outcome === "reran") return kind === "rerun";
	return outcome !== "launching" && outcome !== "launched" && outcome !== "notQueued";
}

/** What an outcome leaves of a task: the task changed, or null when it is over. A rerun that was done is remembered. */
export function settleTask(task: Task, result: Outcome, now: number, clocks: Clocks): Task | null {
	const open = { ...task, lease: null };
	switch (result.outcome) {
		case "reran":
			return { ...open, dueAt: null };
		case "later":
			// A run may be looked at hundreds of times before it has ended: some looks fail, which is no reason to leave it.
			return { ...open, tries: 0, dueAt: Math.min(Math.max(result.notBefore, now), now + clocks.giveUpAfter) };
		case "extend":
			return { ...task, dueAt: now + clocks.lease };
		case "failed":
			return task.tries + 1 < LIMITS.taskTries ? { ...open, tries: task.tries + 1, dueAt: now + clocks.retry } : null;
		default:
			return null;
	}
}
