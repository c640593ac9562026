// What operators read: jobs, their history, live counters. Reads only.
import type { JobDetail, JobList, JobState } from "../contract/job.ts";
import type { StartList } from "../contract/start.ts";
import type { Stats } from "../contract/stats.ts";
import { viewOf } from "./job.ts";
import type { Queue } from "./queue.ts";

/** Rows come by their ids, which GitHub gives in the order of time but for a few that overtake each other: these are put right. */
const OVERTAKING = 200;

export function listJobs(queue: Queue, state: JobState | null, limit: number): JobList {
	const newest = queue.listJobs(state, limit + OVERTAKING).toSorted((one, other) => other.receivedAt - one.receivedAt);
	return { jobs: newest.slice(0, limit).map(viewOf) };
}

export function listStarts(queue: Queue, limit: number): StartList {
	return { starts: queue.starts(limit) };
}

export function jobDetail(queue: Queue, id: number): JobDetail | null {
	const job = queue.job(id);
	return job ? { ...viewOf(job), history: job.history } : null;
}

/** The value below which a share of the sorted values lies (nearest rank). */
function percentile(sorted: readonly number[], share: number): number | null {
	return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}

export function stats(queue: Queue, rowsWritten: number, now: number): Stats {
	const { waiting = 0, queued = 0, launching = 0, launched = 0, running = 0 } = queue.open.counts();
	const times = queue.queueTimes(1000).toSorted((a, b) => a - b);
	return {
		at: now,
		executed: Math.max(0, queue.started() - queue.open.begun()),
		running,
		queued: waiting + queued + launching + launched,
		queueTimeMs: { p50: percentile(times, 0.5), p95: percentile(times, 0.95) },
		...queue.counters,
		rowsWritten,
	};
}
