// What operators read: jobs, their history, live counters. Reads only.
import type { JobDetail, JobList, JobState } from "../contract/job.ts";
import type { StartList } from "../contract/start.ts";
import type { Stats } from "../contract/stats.ts";
import { CLOSED, isOpen } from "./breaker.ts";
import { type Caps, createRoom } from "./caps.ts";
import { switchesOf } from "./hand-out.ts";
import { type Job, viewOf } from "./job.ts";
import type { Queue } from "./queue.ts";

/** Rows come by their ids, which GitHub gives in the order of time but for a few that overtake each other: these are put right. */
const OVERTAKING = 200;

/** Why a job that could be launched is not handed out; null if nothing holds it back. */
export type WhyWaits = (job: Job) => string | null;

export function whyWaits(queue: Queue, caps: Caps, now: number): WhyWaits {
	const { pause, drain } = switchesOf(queue);
	const room = createRoom(() => queue.open.busy(), caps);
	return ({ state, lease, dueAt, pointer }) => {
		if (state !== "queued" || lease !== null || dueAt === null || dueAt > now) return null;
		if (pause || drain) return `launching is ${pause ? "paused" : "being drained"}`;
		return room.whyFull(pointer);
	};
}

const shown = (job: Job, why: WhyWaits) => {
	const view = viewOf(job);
	return { ...view, reason: why(job) ?? view.reason };
};

export function listJobs(queue: Queue, state: JobState | null, limit: number, why: WhyWaits = () => null): JobList {
	const newest = queue.listJobs(state, limit + OVERTAKING).toSorted((one, other) => other.receivedAt - one.receivedAt);
	return { jobs: newest.slice(0, limit).map((job) => shown(job, why)) };
}

export function listStarts(queue: Queue, limit: number): StartList {
	return { starts: queue.starts(limit) };
}

export function jobDetail(queue: Queue, id: number, why: WhyWaits = () => null): JobDetail | null {
	const job = queue.job(id);
	return job ? { ...shown(job, why), history: job.history } : null;
}

/** The value below which a share of the sorted values lies (nearest rank). */
function percentile(sorted: readonly number[], share: number): number | null {
	return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}

export function stats(queue: Queue, rowsWritten: number, now: number): Stats {
	const { waiting = 0, queued = 0, launching = 0, launched = 0, running = 0 } = queue.open.counts();
	const breaker = queue.setting("breaker") ?? CLOSED;
	const times = queue.queueTimes(1000).toSorted((a, b) => a - b);
	return {
		at: now,
		executed: Math.max(0, queue.started() - queue.open.begun()),
		running,
		queued: waiting + queued + launching + launched,
		queueTimeMs: { p50: percentile(times, 0.5), p95: percentile(times, 0.95) },
		...queue.counters,
		spotPausedUntil: isOpen(breaker, now) ? breaker.openUntil : null,
		rowsWritten,
	};
}
