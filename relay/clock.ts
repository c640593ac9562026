// The clock may be set: forward, and what is due comes early; back, and what is due would hide for as long. Runs inside one transaction.
import type { Queue } from "./queue.ts";

/** Clocks are corrected by this much all the time, in milliseconds. */
const TOLERANCE = 1000;
/** All tasks there can be. */
const EVERY = 100_000;

/** The latest moment that anything written down has seen. */
export function latestSeen(queue: Queue): number {
	const jobs = queue.open.all().flatMap(({ since, leasedAt }) => [since, leasedAt ?? 0]);
	const tasks = queue.dueTasks(Number.MAX_SAFE_INTEGER, EVERY).map(({ since }) => since);
	return [...jobs, ...tasks].reduce((latest, at) => Math.max(latest, at), queue.lastLeaseAt());
}

/** After the clock was set back: brings everything that is to come as much closer. True when it was. */
export function followClock(queue: Queue, latest: number, now: number): boolean {
	const by = latest - now;
	if (by <= TOLERANCE) return false;
	const earlier = (dueAt: number) => Math.max(now, dueAt - by);
	for (const job of queue.open.all()) if (job.dueAt !== null && job.dueAt > now) queue.saveJob({ ...job, dueAt: earlier(job.dueAt) });
	for (const task of queue.dueTasks(Number.MAX_SAFE_INTEGER, EVERY)) {
		if (task.dueAt !== null && task.dueAt > now) queue.saveTask({ ...task, dueAt: earlier(task.dueAt) });
	}
	queue.setLeasesBack(by, now);
	return true;
}
