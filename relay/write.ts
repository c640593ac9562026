// Writes down what a decision asked for. The caller holds the transaction.
import type { Moves } from "./moves.ts";
import type { Queue } from "./queue.ts";
import { rerunKey, rerunTask, terminateKey, terminateTask } from "./tasks.ts";

/** Applies moves to the rows. An ending asked for in the same moves as its sparing is not written. */
export function write(queue: Queue, moves: Moves, now: number): void {
	for (const job of moves.jobs) queue.saveJob(job);
	for (const instanceId of moves.spared) queue.dropTask(terminateKey(instanceId));
	for (const ending of moves.endings) {
		if (moves.spared.includes(ending.instanceId)) continue;
		queue.saveTask(terminateTask(ending, queue.task(terminateKey(ending.instanceId)), now));
	}
	for (const job of moves.interrupted) {
		const task = rerunTask(job, queue.task(rerunKey(job.pointer.runId)), now);
		if (task) queue.saveTask(task);
	}
	for (const start of moves.started) queue.saveStart(start);
}
