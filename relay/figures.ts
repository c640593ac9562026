// What operators read: jobs, their history, live counters. Reads only.
import type { JobDetail, JobList, JobState } from "../contract/job.ts";
import type { Stats } from "../contract/stats.ts";
import { viewOf } from "./job.ts";
import type { Queue } from "./queue.ts";

export function listJobs(queue: Queue, state: JobState | null, limit: number): JobList {
	return { jobs: queue.listJobs(state, limit).map(viewOf) };
}

export function jobDetail(queue: Queue, id: number): JobDetail | null {
	const job = queue.job(id);
	return job ? { ...viewOf(job), history: job.history } : null;
}

/** The value below which a share of the sorted values lies (nearest rank). */
function percentile(sorted: readonly number[], share: number): number | null {
	return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}

export function stats(queue: Queue, now: number): Stats {
	const { waiting = 0, queued = 0, launching = 0, launched = 0, running = 0 } = queue.openCounts();
	const times = queue.queueTimes(1000).toSorted((a, b) => a - b);
	return {
		at: now,
		executed: queue.counter("executed"),
		running,
		queued: waiting + queued + launching + launched,
		queueTimeMs: { p50: percentile(times, 0.5), p95: percentile(times, 0.95) },
		deliveries: queue.counter("deliveries"),
		duplicates: queue.counter("duplicates"),
	};
}
