// Forgets what nobody asks for any more. Runs inside one transaction, a bounded piece at a time.
import type { Clocks } from "./clocks.ts";
import type { Queue } from "./queue.ts";

const PIECE = 200;

/** Drops old jobs, intents, answers and done reruns. True when there may be more. */
export function prune(queue: Queue, now: number, clocks: Clocks): boolean {
	queue.pruneAnswers(now - clocks.answers, PIECE);
	// An intent is replayed within the life of its job's queue time, which GitHub ends after a day.
	queue.pruneIntents(now - 24 * 3_600_000, PIECE);
	queue.pruneReruns(now - clocks.keep, PIECE);
	return queue.pruneJobs(now - clocks.keep, PIECE) === PIECE;
}
