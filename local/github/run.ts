// A workflow run and its jobs as the stand-in keeps them. Types and plain questions about them; pure.
import type { Conclusion, Job, MatrixLeg, Workflow } from "../workflow/model.ts";
import type { Completion } from "./protocol.ts";
import type { Person, Repository } from "./world.ts";

export type JobStatus = "waiting" | "queued" | "in_progress" | "completed";

export interface RunJob {
	readonly id: number;
	readonly runId: number;
	readonly attempt: number;
	/** Key in the workflow file; the legs of a matrix share it. */
	readonly key: string;
	readonly spec: Job;
	readonly name: string;
	readonly leg: MatrixLeg;
	readonly labels: string[];
	readonly environment: string | null;
	/** `continue-on-error`: its failure does not fail the run. */
	readonly allowedToFail: boolean;
	readonly timeoutMinutes: number;
	readonly createdAt: number;
	status: JobStatus;
	conclusion: Conclusion | null;
	/** When it last became queued; the order of dispatch. */
	queuedAt: number;
	startedAt: number | null;
	completedAt: number | null;
	runner: { id: number; name: string; groupId: number; groupName: string } | null;
	cancelRequested: boolean;
	outputs: Record<string, string>;
	steps: Completion["steps"];
	annotations: string[];
	log: string[];
}

export interface Approval {
	environment: string;
	by: Person;
	comment: string;
	at: number;
}

export interface Run {
	readonly id: number;
	readonly number: number;
	readonly workflow: Workflow;
	readonly repository: Repository;
	readonly headRepository: Repository;
	readonly event: string;
	readonly payload: Record<string, unknown>;
	/** `refs/heads/main` and the like. */
	readonly ref: string;
	readonly sha: string;
	readonly actor: Person;
	readonly protectedEnvironments: string[];
	readonly createdAt: number;
	attempt: number;
	startedAt: number;
	updatedAt: number;
	cancelRequested: boolean;
	conclusion: Conclusion | null;
	/** Of every attempt. */
	jobs: RunJob[];
	approvals: Approval[];
}

export type Needs = Record<string, { result: Conclusion; outputs: Record<string, string> }>;

export function currentJobs(run: Run): RunJob[] {
	return run.jobs.filter(({ attempt }) => attempt === run.attempt);
}

export function branchOf(run: Run): string {
	return run.ref.replace(/^refs\/(heads|tags)\//, "");
}

export function workflowPath(run: Run): string {
	return `.github/workflows/${run.workflow.file.split("/").at(-1)}`;
}

export function runStatus(run: Run): "queued" | "waiting" | "in_progress" | "completed" {
	if (run.conclusion) return "completed";
	const statuses = new Set(currentJobs(run).map(({ status }) => status));
	if (statuses.has("in_progress")) return "in_progress";
	if (statuses.has("waiting") && !statuses.has("queued")) return "waiting";
	return statuses.has("completed") ? "in_progress" : "queued";
}

/** What a failed or cancelled leg does to its key; `continue-on-error` counts as success. */
export function resultOf(jobs: readonly RunJob[]): Conclusion {
	const results = jobs.map(({ conclusion, allowedToFail }) => (conclusion === "failure" && allowedToFail ? "success" : conclusion));
	for (const worst of ["failure", "cancelled", "skipped"] as const) if (results.includes(worst)) return worst;
	return "success";
}

/** The conclusion of a run all of whose jobs have completed. */
export function runConclusion(run: Run): Conclusion {
	const jobs = currentJobs(run);
	const result = resultOf(jobs.filter(({ conclusion }) => conclusion !== "skipped"));
	if (run.cancelRequested && jobs.some(({ conclusion }) => conclusion === "cancelled")) return "cancelled";
	return jobs.length > 0 && jobs.every(({ conclusion }) => conclusion === "skipped") ? "skipped" : result;
}

/** What a job is told of the jobs it needs, or null while one of them has not completed. */
export function needsOf(run: Run, spec: Job): Needs | null {
	const needs: Needs = {};
	for (const key of spec.needs) {
		const jobs = currentJobs(run).filter((job) => job.key === key);
		if (jobs.length === 0 || jobs.some(({ status }) => status !== "completed")) return null;
		needs[key] = { result: resultOf(jobs), outputs: Object.assign({}, ...jobs.map(({ outputs }) => outputs)) };
	}
	return needs;
}
