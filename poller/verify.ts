// What GitHub says of a leased job, and whether it may be launched (DESIGN 5: verification). Pure.
import type { LaterClass } from "../contract/settle.ts";
import { type GitHubError, laterAfter } from "./github-error.ts";
import type { Run, RunJob } from "./ports.ts";

/** One reading of a run and its jobs of one attempt; or that GitHub knows no such run; or what went wrong. */
export type RunReading =
	| { kind: "read"; run: Run; jobs: Map<number, RunJob> }
	| { kind: "absent" }
	| { kind: "failed"; error: GitHubError };

/** What is settled when a job is not to be launched, without the keys of the lease. */
export type Settlement =
	| { outcome: "gone" }
	| { outcome: "notQueued"; status: RunJob["status"]; conclusion: string | null; runnerName: string | null }
	| { outcome: "later"; notBefore: number; class: LaterClass; reason: string }
	| { outcome: "refused"; reason: string };

export type Standing = { queued: true; run: Run; job: RunJob } | { queued: false; settle: Settlement };

/** GitHub has been seen to name a job in progress before it names the runner. */
const UNSETTLED_MS = 10_000;

/** Where a job stands. Only `completed`, or `in_progress` with a runner, ends it; an absence is reported and believed by nobody at once. */
export function standingOf(reading: RunReading, jobId: number, now: number): Standing {
	if (reading.kind === "absent") return { queued: false, settle: { outcome: "gone" } };
	if (reading.kind === "failed") return { queued: false, settle: { outcome: "later", ...laterAfter(reading.error, now) } };
	const job = reading.jobs.get(jobId);
	if (!job) return { queued: false, settle: { outcome: "gone" } };
	if (job.status === "queued") return { queued: true, run: reading.run, job };
	if (job.status === "in_progress" && job.runnerName === null) {
		const reason = "GitHub says that the job is in progress, but names no runner";
		return { queued: false, settle: { outcome: "later", notBefore: now + UNSETTLED_MS, class: "throttled", reason } };
	}
	const { status, conclusion, runnerName } = job;
	return { queued: false, settle: { outcome: "notQueued", status, conclusion, runnerName } };
}

/** A run's webhook can be ahead of GitHub's own API. */
const YOUNG_MS = 60_000;
const LOOK_AGAIN_MS = 3_000;

/** Of a job that was queued a moment ago (epoch ms), an absence is not reported yet: the ledger would take minutes to look again. */
export function patientWithYoung(settle: Settlement, queuedAt: number, now: number): Settlement {
	if (settle.outcome !== "gone" || now - queuedAt > YOUNG_MS) return settle;
	return { outcome: "later", notBefore: now + LOOK_AGAIN_MS, class: "throttled", reason: "GitHub's API does not know the job yet" };
}
