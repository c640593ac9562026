// The engine of workflow runs: jobs come into being as their needs are met, are taken, completed, cancelled, approved. State in memory; no I/O.
import { createHash } from "node:crypto";
import type { Conclusion, Job, MatrixLeg, Workflow } from "../workflow/model.ts";
import { type Expanded, type Expressions, expandLeg, githubContext } from "./expand.ts";
import type { Completion } from "./protocol.ts";
import { currentJobs, type Needs, needsOf, type Run, type RunJob, runConclusion } from "./run.ts";
import { type Person, personNamed, type Repository, repositoryNamed, type World } from "./world.ts";

export type JobAction = "queued" | "waiting" | "in_progress" | "completed";

export interface RunOptions {
	workflow: Workflow;
	/** `owner/name` */
	repository: string;
	event?: string;
	/** What GITHUB_EVENT_PATH will hold. */
	payload?: Record<string, unknown>;
	ref?: string;
	actor?: string;
	/** The head lies in a fork of the actor's. */
	fork?: boolean;
}

export interface RunsPorts {
	world: World;
	now: () => number;
	expressions: Expressions;
	api: () => string;
	/** Told of every change that GitHub would tell by a webhook, in order. */
	emit: (action: JobAction, job: RunJob, run: Run) => void;
	/** Told when a job with a runner should stop. */
	cancelled: (job: RunJob) => void;
	/** Told when all jobs of a run have completed. */
	ended: (run: Run) => void;
}

export interface Runs {
	all: Map<number, Run>;
	jobs: Map<number, RunJob>;
	create(options: RunOptions): Run;
	/** Brings the jobs into being whose needs are met, and ends the run when all have completed. */
	advance(run: Run): void;
	addJob(run: Run, spec: Job, leg: MatrixLeg, needs: Needs): RunJob;
	/** An untouched job of the last attempt, as a rerun lists it again under a new id. */
	copyJob(run: Run, job: RunJob): void;
	start(job: RunJob, runner: NonNullable<RunJob["runner"]>): void;
	finish(job: RunJob, conclusion: Conclusion, details?: Partial<Pick<Completion, "outputs" | "steps" | "annotations">>): void;
	cancel(run: Run): void;
	/** Lets every job that waits for an environment go on; how many there were. */
	approve(run: Run, by?: string, comment?: string): number;
}

function forkOf(repository: Repository, owner: Person): Repository {
	return { ...repository, id: repository.id + 50_000_000, owner, fullName: `${owner.login}/${repository.name}`, fork: true };
}

function newRun(id: number, number: number, options: RunOptions, world: World, now: number): Run {
	const [owner, name, ...rest] = options.repository.split("/");
	const repository = owner && name && rest.length === 0 ? repositoryNamed(world, owner, name) : null;
	if (!repository) throw new Error(`there is no repository ${options.repository} in this stand-in`);
	const keys = new Set(options.workflow.jobs.map(({ key }) => key));
	const missing = options.workflow.jobs.flatMap(({ needs }) => needs).find((key) => !keys.has(key));
	if (missing !== undefined) throw new Error(`a job needs ${missing}, which the workflow does not have`);
	const actor = personNamed(world, options.actor ?? "octocat");
	const ref = options.ref ?? "refs/heads/main";
	return {
		...{ id, number, workflow: options.workflow, repository, actor, ref },
		headRepository: options.fork ? forkOf(repository, actor) : repository,
		event: options.event ?? "push",
		payload: options.payload ?? { ref, repository: { id: repository.id, full_name: repository.fullName }, sender: { login: actor.login } },
		sha: createHash("sha1")
			.update(`${id} ${JSON.stringify(options.workflow)}`)
			.digest("hex"),
		protectedEnvironments: repository.protectedEnvironments,
		...{ createdAt: now, startedAt: now, updatedAt: now, attempt: 1 },
		...{ cancelRequested: false, conclusion: null, jobs: [], approvals: [] },
	};
}

export function createRuns(ports: RunsPorts): Runs {
	const { now } = ports;
	const all = new Map<number, Run>();
	const jobs = new Map<number, RunJob>();
	// Ids have eleven digits as GitHub's do, and differ from one start to the next.
	const base = Math.floor(now() / 1000) % 100_000_000;
	let lastRunId = 17_000_000_000 + base * 10;
	let lastJobId = 48_000_000_000 + base * 100;

	function runOf(job: RunJob): Run {
		const run = all.get(job.runId);
		if (!run) throw new Error(`job ${job.id} has no run`);
		return run;
	}

	function tell(action: JobAction, job: RunJob, run: Run): void {
		run.updatedAt = now();
		ports.emit(action, job, run);
	}

	function keep(run: Run, spec: Job, leg: MatrixLeg, state: Partial<RunJob> & Pick<Expanded, "name">): RunJob {
		const at = now();
		const job: RunJob = {
			...{ runId: run.id, key: spec.key, spec, leg, labels: [], environment: null, allowedToFail: false, timeoutMinutes: 360 },
			...{ createdAt: at, status: "queued", conclusion: null, queuedAt: at, startedAt: null, completedAt: null, runner: null },
			...{ cancelRequested: false, outputs: {}, steps: [], annotations: [], log: [], ...state },
			...{ id: ++lastJobId, attempt: run.attempt },
		};
		jobs.set(job.id, job);
		run.jobs.push(job);
		return job;
	}

	function keepCompleted(run: Run, spec: Job, leg: MatrixLeg, conclusion: Conclusion, name: string, annotations: string[] = []): RunJob {
		const completedAt = now();
		const job = keep(run, spec, leg, { name, status: "completed", conclusion, startedAt: completedAt, completedAt, annotations });
		tell("completed", job, run);
		return job;
	}

	function addJob(run: Run, spec: Job, leg: MatrixLeg, needs: Needs): RunJob {
		let expanded: Expanded;
		try {
			expanded = expandLeg(spec, leg, needs, githubContext(run, spec.key, ports.api()), ports.expressions);
		} catch (error) {
			return keepCompleted(run, spec, leg, "failure", spec.name ?? spec.key, [
				`${run.workflow.file}:${spec.line}: ${(error as Error).message}`,
			]);
		}
		const held = expanded.environment !== null && run.protectedEnvironments.includes(expanded.environment);
		const job = keep(run, spec, leg, { ...expanded, status: held ? "waiting" : "queued" });
		// An environment job is told of twice while it waits: `queued` with status waiting, then `waiting` (FACTS 3).
		tell("queued", job, run);
		if (held) tell("waiting", job, run);
		return job;
	}

	function startKey(run: Run, spec: Job, needs: Needs): void {
		const blocked = run.cancelRequested || Object.values(needs).some(({ result }) => result !== "success");
		// GitHub skips before it expands a matrix: one job with the plain name.
		if (blocked) keepCompleted(run, spec, {}, "skipped", spec.name ?? spec.key);
		else for (const leg of spec.matrix) addJob(run, spec, leg, needs);
	}

	function nextReady(run: Run): Job | undefined {
		const begun = new Set(currentJobs(run).map(({ key }) => key));
		return run.workflow.jobs.find((spec) => !begun.has(spec.key) && needsOf(run, spec));
	}

	function advance(run: Run): void {
		for (let spec = nextReady(run); spec; spec = nextReady(run)) startKey(run, spec, needsOf(run, spec) ?? {});
		const jobs = currentJobs(run);
		const begun = new Set(jobs.map(({ key }) => key));
		if (run.conclusion || begun.size < run.workflow.jobs.length || jobs.some(({ status }) => status !== "completed")) return;
		run.conclusion = runConclusion(run);
		run.updatedAt = now();
		ports.ended(run);
	}

	function finish(job: RunJob, conclusion: Conclusion, details: Parameters<Runs["finish"]>[2] = {}): void {
		if (job.status === "completed") return;
		const run = runOf(job);
		job.annotations.push(...(details.annotations ?? []));
		job.outputs = details.outputs ?? {};
		job.steps = details.steps ?? job.steps;
		Object.assign(job, { status: "completed", conclusion, completedAt: now(), startedAt: job.startedAt ?? now() });
		tell("completed", job, run);
		advance(run);
	}

	return {
		...{ all, jobs, advance, addJob, finish },
		create(options) {
			const run = newRun(++lastRunId, all.size + 1, options, ports.world, now());
			all.set(run.id, run);
			advance(run);
			return run;
		},
		copyJob(run, job) {
			tell("completed", keep(run, job.spec, job.leg, job), run);
		},
		start(job, runner) {
			Object.assign(job, { status: "in_progress", runner, startedAt: now() });
			tell("in_progress", job, runOf(job));
		},
		cancel(run) {
			run.cancelRequested = true;
			for (const job of currentJobs(run).filter(({ status }) => status !== "completed")) {
				job.cancelRequested = true;
				if (job.status !== "in_progress") finish(job, "cancelled");
				ports.cancelled(job);
			}
		},
		approve(run, by = "octocat", comment = "") {
			const held = currentJobs(run).filter(({ status }) => status === "waiting");
			for (const environment of new Set(held.flatMap((job) => job.environment ?? [])))
				run.approvals.push({ environment, by: personNamed(ports.world, by), comment, at: now() });
			for (const job of held) {
				Object.assign(job, { status: "queued", queuedAt: now() });
				tell("queued", job, run);
			}
			return held.length;
		},
	};
}
