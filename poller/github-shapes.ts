// What is taken from GitHub's answers, field by field; the rest is not looked at. Pure. A field that is not as described throws.
import * as v from "valibot";
import { JobStatus } from "../contract/job.ts";
import type { Approval, Delivery, Run, RunJob, Runner, RunnerGroup } from "./ports.ts";
import type { RunnerRelease } from "./runner-age.ts";

const Person = v.nullish(v.object({ login: v.string() }));
const RunShape = v.object({
	id: v.number(),
	run_attempt: v.optional(v.number(), 1),
	status: v.nullable(v.string()),
	conclusion: v.nullable(v.string()),
	event: v.string(),
	path: v.string(),
	head_branch: v.nullable(v.string()),
	head_repository: v.nullish(v.object({ full_name: v.string() })),
	repository: v.object({ id: v.number(), full_name: v.string() }),
	actor: Person,
	triggering_actor: Person,
	pull_requests: v.nullish(v.array(v.object({ number: v.number() }))),
	updated_at: v.string(),
});
const JobShape = v.object({
	id: v.number(),
	status: JobStatus,
	conclusion: v.nullable(v.string()),
	runner_name: v.nullish(v.string()),
	labels: v.array(v.string()),
	name: v.string(),
	created_at: v.nullish(v.string()),
	completed_at: v.nullish(v.string()),
	started_at: v.nullish(v.string()),
});
const RunnerShape = v.object({ id: v.number(), name: v.string(), status: v.string(), busy: v.boolean() });
/** A field that is absent counts as the one that is less safe. */
const GroupShape = v.object({
	name: v.string(),
	visibility: v.string(),
	allows_public_repositories: v.optional(v.boolean(), true),
	restricted_to_workflows: v.optional(v.boolean(), false),
});
const ApprovalShape = v.object({ state: v.string(), environments: v.array(v.object({ name: v.string() })) });
const ReleaseShape = v.object({ tag_name: v.string(), draft: v.boolean(), prerelease: v.boolean(), published_at: v.nullable(v.string()) });
const InstallationShape = v.object({
	id: v.number(),
	account: v.nullable(v.looseObject({ login: v.optional(v.string()) })),
	suspended_at: v.nullish(v.string()),
});
const DeliveryShape = v.object({ id: v.number(), guid: v.string(), delivered_at: v.string(), status_code: v.number(), event: v.string() });

/** Without the `@<ref>` that it may carry (FACTS 2.4). What could as well be a file of that name stays whole: no rule that lists a file admits it. */
function pathOf(path: string): string {
	const [, file, ref] = /^(.+?\.ya?ml)@(.+)$/i.exec(path) ?? [];
	return file === undefined || /\.ya?ml$/i.test(ref ?? "") ? path : file;
}

export function toRun(data: unknown): Run {
	const run = v.parse(RunShape, data);
	return {
		...{ id: run.id, attempt: run.run_attempt, status: run.status ?? "unknown", conclusion: run.conclusion, event: run.event },
		path: pathOf(run.path),
		...{ headBranch: run.head_branch, headRepository: run.head_repository?.full_name ?? null, repository: run.repository.full_name },
		repositoryId: run.repository.id,
		...{ actor: run.actor?.login ?? null, triggeringActor: run.triggering_actor?.login ?? null },
		pullRequest: run.pull_requests?.[0]?.number ?? null,
		updatedAt: Date.parse(run.updated_at),
	};
}

export function toJob(data: unknown): RunJob {
	const { id, status, conclusion, runner_name, labels, name, created_at, started_at, completed_at } = v.parse(JobShape, data);
	const createdAt = Date.parse(created_at ?? started_at ?? "") || 0;
	const completedAt = Date.parse(completed_at ?? "") || null;
	return { id, name, createdAt, completedAt, status, conclusion, runnerName: runner_name || null, labels };
}

export function toJobsPage(data: unknown): { total: number; jobs: RunJob[] } {
	const { total_count, jobs } = v.parse(v.object({ total_count: v.number(), jobs: v.array(v.unknown()) }), data);
	return { total: total_count, jobs: jobs.map(toJob) };
}

export function toRuns(data: unknown): Run[] {
	return v.parse(v.object({ workflow_runs: v.array(v.unknown()) }), data).workflow_runs.map(toRun);
}

export function toRunners(data: unknown): v.InferOutput<typeof RunnerShape>[] {
	return v.parse(v.object({ runners: v.array(RunnerShape) }), data).runners;
}

export function toRunner(runner: v.InferOutput<typeof RunnerShape> | undefined): Runner | null {
	return runner ? { id: runner.id, online: runner.status === "online", busy: runner.busy } : null;
}

export function toJitConfig(data: unknown): string {
	return v.parse(v.object({ encoded_jit_config: v.pipe(v.string(), v.minLength(1)) }), data).encoded_jit_config;
}

/** The relay cannot read it, and never will: a job with more labels than are carried, mostly. */
const UNREADABLE = [400, 413, 415];

export function toDelivery(data: unknown): Delivery {
	const { id, guid, delivered_at, status_code, event } = v.parse(DeliveryShape, data);
	const isOver = (status_code >= 200 && status_code < 400) || UNREADABLE.includes(status_code);
	return { id, guid, deliveredAt: Date.parse(delivered_at), isOver, event };
}

export function toRunnerGroup(data: unknown): RunnerGroup {
	const group = v.parse(GroupShape, data);
	return {
		...{ name: group.name, visibility: group.visibility },
		...{ allowsPublicRepositories: group.allows_public_repositories, restrictedToWorkflows: group.restricted_to_workflows },
	};
}

export function toApprovals(data: unknown): Approval[] {
	return v
		.parse(v.array(ApprovalShape), data)
		.map(({ state, environments }) => ({ state, environments: environments.map(({ name }) => name) }));
}

/** Those that anybody is given: no drafts, no pre-releases, nothing that is not named for a version. */
export function toReleases(data: unknown): RunnerRelease[] {
	return v.parse(v.array(ReleaseShape), data).flatMap(({ tag_name, draft, prerelease, published_at }) => {
		const version = /^v([0-9]+\.[0-9]+\.[0-9]+)$/.exec(tag_name)?.[1];
		const publishedAt = Date.parse(published_at ?? "");
		return version === undefined || draft || prerelease || Number.isNaN(publishedAt) ? [] : [{ version, publishedAt }];
	});
}

/** Of those whose App may act for them. */
export function toInstallations(data: unknown): { id: number; owner: string }[] {
	const all = v.parse(v.array(InstallationShape), data);
	return all.flatMap(({ id, account, suspended_at }) => (suspended_at || !account?.login ? [] : [{ id, owner: account.login }]));
}
