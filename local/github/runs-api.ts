// REST of workflow runs: read, rerun, cancel (FACTS 2.4, 2.5).
import { type Answer, notFound, ok, refusal } from "./answer.ts";
import { pageOf } from "./page.ts";
import { failedJobs, refuseRerun, rerun } from "./rerun.ts";
import type { InstallationCall, Route } from "./route.ts";
import { branchOf, currentJobs, type Run, runStatus } from "./run.ts";
import { approvalsJson, jobJson, runJson } from "./run-json.ts";
import type { Runs } from "./runs.ts";

const RUNS = "/repos/{owner}/{repo}/actions/runs";
const READ = { permission: "actions", level: "read" } as const;
const WRITE = { permission: "actions", level: "write" } as const;

function matches(run: Run, query: URLSearchParams): boolean {
	const asked = (name: string, ...values: (string | null)[]) => query.get(name) === null || values.includes(query.get(name));
	const state = asked("status", runStatus(run), run.conclusion);
	const origin = asked("event", run.event) && asked("branch", branchOf(run)) && asked("actor", run.actor.login);
	return state && origin && asked("head_sha", run.sha);
}

/** The routes of a run, each given the run that its path names. */
export function runRoutes(api: () => string, runs: Runs, now: () => number): Route[] {
	const ofRun = (answer: (run: Run, call: InstallationCall) => Answer) => (call: InstallationCall) => {
		const run = runs.all.get(call.id("run_id"));
		return run && run.repository.id === call.repository?.id ? answer(run, call) : notFound();
	};
	const jobPage = (run: Run, jobs: Run["jobs"], { query, url }: InstallationCall) => {
		const { items, headers } = pageOf(jobs, query, url);
		return ok({ total_count: jobs.length, jobs: items.map((job) => jobJson(api(), run, job)) }, headers);
	};
	return [
		{
			method: "GET",
			path: RUNS,
			access: READ,
			answer({ query, url, repository }) {
				const newestFirst = [...runs.all.values()].toReversed();
				const found = newestFirst.filter((run) => run.repository.id === repository?.id && matches(run, query));
				// A search never gives more than a thousand.
				const { items, headers } = pageOf(found.slice(0, 1000), query, url);
				return ok({ total_count: found.length, workflow_runs: items.map((run) => runJson(api(), run)) }, headers);
			},
		},
		{ method: "GET", path: `${RUNS}/{run_id}`, access: READ, answer: ofRun((run) => ok(runJson(api(), run))) },
		{
			method: "GET",
			path: `${RUNS}/{run_id}/jobs`,
			access: READ,
			answer: ofRun((run, call) => jobPage(run, call.query.get("filter") === "all" ? run.jobs : currentJobs(run), call)),
		},
		{
			method: "GET",
			path: `${RUNS}/{run_id}/attempts/{attempt_number}/jobs`,
			access: READ,
			answer: ofRun((run, call) => {
				const attempt = call.id("attempt_number");
				const known = Number.isInteger(attempt) && attempt >= 1 && attempt <= run.attempt;
				const jobs = run.jobs.filter((job) => job.attempt === attempt);
				return known ? jobPage(run, jobs, call) : notFound();
			}),
		},
		{ method: "GET", path: `${RUNS}/{run_id}/approvals`, access: READ, answer: ofRun((run) => ok(approvalsJson(api(), run))) },
		{
			method: "POST",
			path: `${RUNS}/{run_id}/rerun-failed-jobs`,
			access: WRITE,
			answer: ofRun((run) => rerunAnswer(runs, run, failedJobs(run), now())),
		},
		{
			method: "POST",
			path: `${RUNS}/{run_id}/rerun`,
			access: WRITE,
			answer: ofRun((run) => rerunAnswer(runs, run, currentJobs(run), now())),
		},
		{
			method: "POST",
			path: `${RUNS}/{run_id}/cancel`,
			access: WRITE,
			answer: ofRun((run) => {
				if (run.conclusion) return refusal(409, "Cannot cancel a workflow run that is completed.");
				runs.cancel(run);
				return { status: 202, body: {} };
			}),
		},
	];
}

export function rerunAnswer(runs: Runs, run: Run, chosen: Run["jobs"], now: number): Answer {
	const reason = refuseRerun(run, chosen);
	if (reason) return refusal(403, reason);
	rerun(runs, run, chosen, now);
	return { status: 201, body: {} };
}
