// Runs, jobs and the `workflow_job` payload as GitHub writes them (FACTS 2.4, 3). Pure.
import { isoTime } from "./answer.ts";
import { appJson, type Json, minimalRepositoryJson, nodeId, organizationJson, personJson, repositoryJson } from "./payload.ts";
import { branchOf, type Run, type RunJob, runStatus, workflowPath } from "./run.ts";
import type { Account } from "./world.ts";

/** One id per workflow file is enough: nothing reads workflows. */
function workflowId(run: Run): number {
	return run.repository.id % 1_000_000;
}

export function runJson(api: string, run: Run): Json {
	const repository = `${api}/repos/${run.repository.fullName}`;
	const url = `${repository}/actions/runs/${run.id}`;
	const author = { name: run.actor.login, email: `${run.actor.login}@users.noreply.github.com` };
	return {
		...{ id: run.id, node_id: nodeId("WFR", run.id), name: run.workflow.name, run_number: run.number, run_attempt: run.attempt },
		...{ head_branch: branchOf(run), head_sha: run.sha, path: workflowPath(run), display_title: run.workflow.name },
		...{ event: run.event, status: runStatus(run), conclusion: run.conclusion, workflow_id: workflowId(run) },
		...{ check_suite_id: run.id + 1, check_suite_node_id: nodeId("CS", run.id + 1), pull_requests: [], referenced_workflows: [] },
		...{
			url,
			html_url: `https://github.com/${run.repository.fullName}/actions/runs/${run.id}`,
			jobs_url: `${url}/jobs`,
			logs_url: `${url}/logs`,
		},
		...{ artifacts_url: `${url}/artifacts`, cancel_url: `${url}/cancel`, rerun_url: `${url}/rerun` },
		check_suite_url: `${repository}/check-suites/${run.id + 1}`,
		workflow_url: `${repository}/actions/workflows/${workflowId(run)}`,
		previous_attempt_url: run.attempt > 1 ? `${url}/attempts/${run.attempt - 1}` : null,
		...{ created_at: isoTime(run.createdAt), updated_at: isoTime(run.updatedAt), run_started_at: isoTime(run.startedAt) },
		...{ actor: personJson(api, run.actor), triggering_actor: personJson(api, run.actor) },
		head_commit: {
			...{ id: run.sha, tree_id: run.sha, message: run.workflow.name, timestamp: isoTime(run.createdAt) },
			...{ author, committer: author },
		},
		repository: minimalRepositoryJson(api, run.repository),
		head_repository: minimalRepositoryJson(api, run.headRepository),
	};
}

/** `started_at` is set while the job is still queued: it is when it was created, then (FACTS 3). */
export function jobJson(api: string, run: Run, job: RunJob): Json {
	const repository = `${api}/repos/${run.repository.fullName}`;
	return {
		...{ id: job.id, run_id: run.id, workflow_name: run.workflow.name, head_branch: branchOf(run) },
		...{ run_url: `${repository}/actions/runs/${run.id}`, run_attempt: job.attempt, node_id: nodeId("CR", job.id), head_sha: run.sha },
		url: `${repository}/actions/jobs/${job.id}`,
		html_url: `https://github.com/${run.repository.fullName}/actions/runs/${run.id}/job/${job.id}`,
		...{ status: job.status, conclusion: job.conclusion, created_at: isoTime(job.createdAt) },
		...{ started_at: isoTime(job.startedAt ?? job.createdAt), completed_at: isoTime(job.completedAt), name: job.name },
		steps: job.steps.map((step) => ({
			...{ name: step.name, status: "completed", conclusion: step.conclusion, number: step.number },
			...{ started_at: isoTime(step.startedAt), completed_at: isoTime(step.completedAt) },
		})),
		check_run_url: `${repository}/check-runs/${job.id}`,
		labels: job.labels,
		...{ runner_id: job.runner?.id ?? null, runner_name: job.runner?.name ?? null },
		...{ runner_group_id: job.runner?.groupId ?? null, runner_group_name: job.runner?.groupName ?? null },
	};
}

function deploymentJson(api: string, run: Run, job: RunJob, environment: string): Json {
	const repository = `${api}/repos/${run.repository.fullName}`;
	const id = job.id - 40_000_000_000;
	const url = `${repository}/deployments/${id}`;
	const actions = {
		id: 15368,
		slug: "github-actions",
		clientId: "Iv1.github-actions",
		owner: run.actor,
		permissions: { actions: "write" } as const,
	};
	return {
		...{ url, id, node_id: nodeId("DE", id), task: "deploy", original_environment: environment, environment, description: null },
		...{
			created_at: isoTime(job.createdAt),
			updated_at: isoTime(job.createdAt),
			statuses_url: `${url}/statuses`,
			repository_url: repository,
		},
		...{ creator: personJson(api, run.actor), sha: run.sha, ref: branchOf(run), payload: {} },
		...{ transient_environment: false, production_environment: false, performed_via_github_app: appJson(api, actions, run.createdAt) },
	};
}

/** The body of a `workflow_job` delivery. The `deployment` comes with `queued` of a job that names an environment. */
export function jobEventJson(api: string, action: string, run: Run, job: RunJob, account: Account): Json {
	return {
		action,
		workflow_job: jobJson(api, run, job),
		...(action === "queued" && job.environment !== null && { deployment: deploymentJson(api, run, job, job.environment) }),
		repository: repositoryJson(api, run.repository, account.createdAt),
		...(account.type === "Organization" && { organization: organizationJson(api, account) }),
		sender: personJson(api, run.actor),
		installation: { id: account.installationId, node_id: nodeId("MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9u", account.installationId) },
	};
}

/** `GET …/approvals`: one entry per environment that was let through. */
export function approvalsJson(api: string, run: Run): Json[] {
	return run.approvals.map(({ environment, by, comment, at }, index) => {
		const id = (run.id % 1_000_000) * 10 + index;
		const place = {
			url: `${api}/repos/${run.repository.fullName}/environments/${environment}`,
			created_at: isoTime(at),
			updated_at: isoTime(at),
		};
		const html = `https://github.com/${run.repository.fullName}/deployments/activity_log?environments_filter=${environment}`;
		return {
			...{ state: "approved", comment, user: personJson(api, by) },
			environments: [{ id, node_id: nodeId("EN", id), name: environment, ...place, html_url: html }],
		};
	});
}
