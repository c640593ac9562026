// REST of single jobs: read, and rerun with those that depend on it.
import { type Answer, notFound, ok, refusal } from "./answer.ts";
import type { InstallationCall, Route } from "./route.ts";
import type { Run, RunJob } from "./run.ts";
import { jobJson } from "./run-json.ts";
import type { Runs } from "./runs.ts";
import { rerunAnswer } from "./runs-api.ts";

const JOB = "/repos/{owner}/{repo}/actions/jobs/{job_id}";

export function jobRoutes(api: () => string, runs: Runs, now: () => number): Route[] {
	const ofJob = (answer: (job: RunJob, run: Run) => Answer) => (call: InstallationCall) => {
		const job = runs.jobs.get(call.id("job_id"));
		const run = job && runs.all.get(job.runId);
		return job && run && run.repository.id === call.repository?.id ? answer(job, run) : notFound();
	};
	return [
		{
			method: "GET",
			path: JOB,
			access: { permission: "actions", level: "read" },
			answer: ofJob((job, run) => ok(jobJson(api(), run, job))),
		},
		{
			method: "POST",
			path: `${JOB}/rerun`,
			access: { permission: "actions", level: "write" },
			answer: ofJob((job, run) => {
				if (job.attempt !== run.attempt) return refusal(403, "This job is not part of the latest attempt of its workflow run");
				return rerunAnswer(runs, run, [job], now());
			}),
		},
	];
}
