// What EC2 says of a machine, against the job that holds it: may it stay, and should the job be looked at. Pure.
import { isInterruption, type MachineFact, type Verdict } from "../contract/observe.ts";
import type { Clocks } from "./clocks.ts";
import { isEnded, type Job } from "./job.ts";

function isEnding(fact: MachineFact): boolean {
	return fact.state === "shutting-down" || fact.state === "terminated";
}

/** Whether a machine's state may tell something of a job that has ended: it is alive still, or EC2 took it. */
export function isNews(fact: MachineFact): boolean {
	return !isEnding(fact) || isInterruption(fact.stateReason);
}

/**
 * Decides whether a machine stays. A machine that no job owns yet gets time for the settle that names it (DESIGN 4, 5), and as long as the
 * launch that made it is replayed: `awaited` is a job that still waits for that launch.
 */
export function judge(fact: MachineFact, owner: Job | null, awaited: Job | null, now: number, clocks: Clocks): Verdict {
	const { instanceId } = fact;
	const keep = (reason: string): Verdict => ({ instanceId, verdict: "keep", reason, force: false });
	const end = (reason: string, force = false): Verdict => ({ instanceId, verdict: "terminate", reason, force });
	const age = now - fact.launchedAt;
	if (isEnding(fact)) return keep("it is ending");
	if (age > clocks.hardLimit) return end("older than its hard limit", true);
	if (!owner && awaited) return keep(`job ${awaited.pointer.id} waits for its launch`);
	const lonely = fact.token === null ? clocks.adoptAfter : clocks.leftAfter;
	if (!owner) return age > lonely ? end("no job owns it") : keep("a settle may still name it");
	if (!isEnded(owner)) return keep(`job ${owner.pointer.id} is ${owner.state}`);
	if (now - owner.since <= clocks.offAfter) return keep("it is expected to switch itself off");
	return end(`job ${owner.pointer.id} is ${owner.state}`, owner.seat?.denied ?? false);
}

/** What a machine's state tells of the job that holds it: its end pulls the next check in, EC2's reason marks an interruption. */
export function hearMachine(job: Job, fact: MachineFact, now: number, clocks: Clocks): Job {
	if (!job.seat) return job;
	const takenBack = job.seat.takenBack || isInterruption(fact.stateReason);
	const seat = { ...job.seat, takenBack, interrupted: job.seat.interrupted || takenBack };
	return lookSoon({ ...job, seat }, isEnding(fact), now, clocks);
}

/** Whether a machine that EC2 does not list any more can be taken for gone: a young one may not be listed yet. */
export function isAbsent(job: Job, listed: ReadonlySet<string>, now: number, clocks: Clocks): boolean {
	const { seat } = job;
	if (!seat?.key.startsWith("i-") || listed.has(seat.key)) return false;
	return now - (seat.launchedAt ?? job.since) > clocks.absentAfter;
}

/** Brings the next check of a job forward after a sign that its machine is gone. A lease under way is left alone. */
export function lookSoon(job: Job, isGone: boolean, now: number, clocks: Clocks): Job {
	if (!isGone || job.dueAt === null || job.lease !== null) return job;
	return { ...job, dueAt: Math.min(job.dueAt, now + clocks.goneCheckAfter) };
}
