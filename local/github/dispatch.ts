// Which queued job goes to which listening runner, as GitHub does it: by labels and runner group, never by job (FACTS 1.10). Pure.
import { type Run, type RunJob, workflowPath } from "./run.ts";
import type { Repository, RunnerGroup } from "./world.ts";

/** Where a runner is registered: for the whole account, or for one repository. */
export interface Scope {
	accountId: number;
	repositoryId: number | null;
}

export interface IdleRunner {
	id: number;
	labels: readonly string[];
	scope: Scope;
	group: RunnerGroup;
}

/** Every label of the job must be the runner's, whatever the case. */
export function labelsFit(job: readonly string[], runner: readonly string[]): boolean {
	const held = new Set(runner.map((label) => label.toLowerCase()));
	return job.every((label) => held.has(label.toLowerCase()));
}

function groupAllows(group: RunnerGroup, repository: Repository, run: Run): boolean {
	if (!repository.private && !group.allowsPublicRepositories) return false;
	if (group.visibility === "selected" && !group.repositoryIds.includes(repository.id)) return false;
	const workflow = `${repository.fullName}/${workflowPath(run)}@${run.ref}`;
	return group.selectedWorkflows === null || group.selectedWorkflows.includes(workflow);
}

export function canRun(run: Run, job: RunJob, runner: IdleRunner): boolean {
	const { repository } = run;
	const { scope, group, labels } = runner;
	if (scope.accountId !== repository.owner.id) return false;
	// A repository's own runner belongs to no organisation's group.
	const admitted = scope.repositoryId === null ? groupAllows(group, repository, run) : scope.repositoryId === repository.id;
	return admitted && labelsFit(job.labels, labels);
}

/** Pairs in the order of queueing; the runner that has listened longest goes first. */
export function pairUp(jobs: readonly { run: Run; job: RunJob }[], idle: readonly IdleRunner[]): { job: RunJob; runnerId: number }[] {
	const free = [...idle];
	const inOrder = jobs.toSorted((a, b) => a.job.queuedAt - b.job.queuedAt || a.job.id - b.job.id);
	return inOrder.flatMap(({ run, job }) => {
		const at = free.findIndex((runner) => canRun(run, job, runner));
		const [runner] = at < 0 ? [] : free.splice(at, 1);
		return runner ? [{ job, runnerId: runner.id }] : [];
	});
}
