// A rerun: which jobs of the last attempt run again, and the new attempt (FACTS 2.5). The plan is pure; the rest changes the run.
import type { Job } from "../workflow/model.ts";
import { currentJobs, needsOf, type Run, type RunJob } from "./run.ts";
import type { Runs } from "./runs.ts";

/** GitHub's ceiling of reruns per run. */
const MOST_RERUNS = 50;

/** The keys that need one of these, however far. Pure. */
function dependents(jobs: readonly Job[], keys: ReadonlySet<string>): Set<string> {
	const found = new Set<string>();
	let before = -1;
	while (found.size !== before) {
		before = found.size;
		for (const job of jobs) if (job.needs.some((key) => keys.has(key) || found.has(key))) found.add(job.key);
	}
	return found;
}

export interface RerunPlan {
	/** Run again as the same matrix leg. */
	again: RunJob[];
	/** Listed in the new attempt as they ended. */
	kept: RunJob[];
	// Every other key comes into being anew as its needs are met.
}

/** The jobs chosen and all that depend on them run again. Pure. */
export function planRerun(run: Run, chosen: readonly RunJob[]): RerunPlan {
	const later = dependents(run.workflow.jobs, new Set(chosen.map(({ key }) => key)));
	const jobs = currentJobs(run).filter(({ key }) => !later.has(key));
	const again = jobs.filter((job) => chosen.includes(job) && job.conclusion !== "skipped");
	return { again, kept: jobs.filter((job) => !chosen.includes(job)) };
}

/** Why a rerun is refused, or null. Pure. */
export function refuseRerun(run: Run, chosen: readonly RunJob[]): string | null {
	if (run.conclusion === null) return "This workflow run is already running";
	if (run.attempt > MOST_RERUNS) return "This workflow run has reached the maximum number of attempts";
	if (chosen.length === 0) return "This workflow run cannot be retried: it has no failed jobs";
	return null;
}

/** What `rerun-failed-jobs` chooses: all that did not succeed. A job allowed to fail that failed is among them. */
export function failedJobs(run: Run): RunJob[] {
	return currentJobs(run).filter(({ conclusion }) => conclusion !== "success");
}

/** Begins the next attempt; the jobs get new ids. The caller has asked `refuseRerun`. */
export function rerun(runs: Runs, run: Run, chosen: readonly RunJob[], now: number): void {
	const { again, kept } = planRerun(run, chosen);
	Object.assign(run, { attempt: run.attempt + 1, conclusion: null, cancelRequested: false, startedAt: now, updatedAt: now });
	for (const job of kept) runs.copyJob(run, job);
	for (const job of again) runs.addJob(run, job.spec, job.leg, needsOf(run, job.spec) ?? {});
	runs.advance(run);
}
