// Forgets what nobody asks for any more, a bounded piece at a time, each in a transaction of its own.
import type { Clocks } from "./clocks.ts";
import { isEnded } from "./job.ts";
import type { Queue } from "./queue.ts";

const PIECE = 200;

/** How far pruning has come; null where it is through. */
export interface Pruned {
	job: number | null;
	intent: string | null;
}
export const UNPRUNED: Pruned = { job: 0, intent: "" };

/** Prunes the next piece and returns where to go on, or null at the end. */
export function prune(queue: Queue, from: Pruned, now: number, clocks: Clocks): Pruned | null {
	pruneReruns(queue, now - clocks.keep);
	pruneStarts(queue, now - clocks.keepStarts);
	const next = {
		job: from.job === null ? null : pruneJobs(queue, from.job, now - clocks.keep),
		intent: from.intent === null ? null : pruneIntents(queue, from.intent, now - clocks.keepIntents),
	};
	return next.job === null && next.intent === null ? null : next;
}

/** Goes on past old jobs that are still open, and ends where all are young: ids grow with time. */
function pruneJobs(queue: Queue, after: number, before: number): number | null {
	const jobs = queue.jobsAfter(after, PIECE);
	for (const job of jobs) if (isEnded(job) && job.since < before) queue.dropJob(job.pointer.id);
	const isMore = jobs.length === PIECE && jobs.some(({ receivedAt }) => receivedAt < before);
	return isMore ? (jobs.at(-1)?.pointer.id ?? null) : null;
}

/** However old, an intent that an open job names may still be replayed. */
function pruneIntents(queue: Queue, after: string, before: number): string | null {
	const named = queue.open.intents();
	const intents = queue.intentsAfter(after, PIECE);
	for (const { token, at } of intents) if (at < before && !named.has(token)) queue.dropIntent(token);
	return intents.length === PIECE ? (intents.at(-1)?.token ?? null) : null;
}

function pruneReruns(queue: Queue, before: number): void {
	const done = queue.reruns(PIECE).filter(({ dueAt, since }) => dueAt === null && since < before);
	for (const { workId } of done) queue.dropTask(workId);
}

/** The newest start stays: its number is how many there were. */
function pruneStarts(queue: Queue, before: number): void {
	const last = queue.started();
	for (const { seq, at } of queue.oldestStarts(PIECE)) if (at < before && seq !== last) queue.dropStart(seq);
}
