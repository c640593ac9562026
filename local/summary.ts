// The end of a local run as data: what `--json` prints and what decides the exit status. Pure.
import type { Timings } from "../contract/job.ts";

/** One job of the run's last attempt, put together from GitHub, the ledger and EC2. */
export interface JobSummary {
	id: number;
	name: string;
	attempt: number;
	/** GitHub's conclusion; null if the job never ended. */
	conclusion: string | null;
	instanceId: string | null;
	/** Failed, and said that it may. */
	allowedToFail: boolean;
	/** Why it got no machine or came to no end of its own; null for a job that did. */
	reason: string | null;
	/** When GitHub queued it, epoch ms. */
	queuedAt: number | null;
	timings: Timings;
}

export interface RunSummary {
	/** The system did its work: every job came to the end that its own steps gave it and no instance is left. */
	ok: boolean;
	jobs: JobSummary[];
	instances: { launched: number; terminated: number; alive: number };
	relay: { deliveries: number; duplicates: number };
}

export function summarize(jobs: JobSummary[], instances: RunSummary["instances"], relay: RunSummary["relay"]): RunSummary {
	const ended = jobs.every((job) => job.conclusion !== null && job.reason === null);
	return { ok: ended && instances.alive === 0, jobs, instances, relay };
}

/** 0 if the system did its work and no job failed that was not allowed to, else 1. */
export function exitStatus(summary: RunSummary): 0 | 1 {
	const failed = summary.jobs.some((job) => !job.allowedToFail && job.conclusion !== "success" && job.conclusion !== "skipped");
	return summary.ok && !failed ? 0 : 1;
}
