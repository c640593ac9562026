// A model of GitHub's API and of its runners: a registered runner that is online takes any queued job whose labels it has.
import { GitHubError } from "../../poller/github-error.ts";
import type { Done, GitHub, Room, Run, RunJob, RunnerGroup } from "../../poller/ports.ts";
import type { JobsModel, SimJob, SimRun } from "./jobs.ts";
import { type Setting, travel } from "./world.ts";

export interface SimRunner {
	id: number;
	name: string;
	labels: string[];
	registeredAt: number;
	online: boolean;
	job: SimJob | null;
	/** Tells its machine which job it got. */
	onJob: ((job: SimJob) => void) | null;
}

/** Rows of one answer; a call that wants more is made once for each page (poller/github.ts). */
const PAGE = 100;
const MOST_RUNNERS = 1000;
const MOST_DELIVERIES = 500;
/** A list that is exactly a page long is known to end there where GitHub tells the total, as it does with jobs. */
const jobPages = (rows: number) => Math.max(1, Math.ceil(rows / PAGE));
const pages = (rows: number, most: number) => Math.min(most / PAGE, Math.floor(rows / PAGE) + 1);

/** A runner has so long to pick up a job. */
const PICK_UP_MS = 60_000;

/** Nothing speaks against a deploy machine in it. */
const GROUP: RunnerGroup = { name: "deploy", visibility: "selected", allowsPublicRepositories: false, restrictedToWorkflows: true };
const UNDONE: Done = { done: false, reason: "simulated" };

/** GitHub's own limit: 900 points a minute, 5 for each POST, PATCH, PUT or DELETE, 1 for each GET (FACTS 2.8). */
const POINTS_A_MINUTE = 900;

export type GitHubModel = ReturnType<typeof createGitHubModel>;

export function createGitHubModel(setting: Setting, jobs: JobsModel) {
	const { clock, dice, faults, tell, broken } = setting;
	const runners = new Map<number, SimRunner>();
	const byName = new Map<string, SimRunner>();
	const spent: { at: number; points: number }[] = [];
	let rerunning: (run: SimRun) => void = () => undefined;
	/** Given to runners that do not pick them up. */
	const given = new Set<SimJob>();
	let ids = 0;
	let most = 0;
	/** Of what was spent: the oldest within a minute, and the points since then. */
	let first = 0;
	let sum = 0;

	function forget({ id, name }: SimRunner): void {
		runners.delete(id);
		byName.delete(name);
	}

	function spend(points: number): void {
		const now = clock.now();
		for (let oldest = spent[first]; oldest && oldest.at <= now - 60_000; oldest = spent[++first]) sum -= oldest.points;
		spent.push({ at: now, points });
		sum += points;
		most = Math.max(most, sum);
		if (sum > POINTS_A_MINUTE) broken(`${sum} points of GitHub's API were spent in a minute`);
	}

	/** A call that fails, denies, or loses its answer; or none of these. `denied`: what a 404 means, where it is expected. */
	async function call<T>(name: string, points: number, effect: () => T, denied?: T): Promise<T> {
		spend(points);
		await travel(setting, 20, 300);
		if (dice.chance(faults.now.githubFails)) {
			const retryAt = dice.chance(0.3) ? clock.now() + 1000 + dice.below(60_000) : null;
			throw new GitHubError(name, retryAt ? 429 : 502, "simulated", retryAt);
		}
		if (dice.chance(faults.now.githubDenies)) {
			if (denied !== undefined) return denied;
			throw new GitHubError(name, 404, "simulated", null);
		}
		const result = effect();
		await travel(setting, 20, 200);
		if (dice.chance(faults.now.githubLosesAnswer)) throw new GitHubError(name, null, "simulated", null);
		return result;
	}

	/** Idle runners and queued jobs find each other, in no order that anybody could rely on. */
	function match(): void {
		const idle = [...runners.values()].filter((it) => it.online && !it.job);
		for (const job of jobs.open().filter((it) => it.status === "queued" && !given.has(it))) {
			const fitting = idle.filter((it) => !it.job && job.labels.every((label) => it.labels.includes(label)));
			const runner = dice.pick(fitting);
			if (!runner) continue;
			runner.job = job;
			if (dice.chance(faults.now.notPickedUp)) {
				takeBack(job, runner);
				continue;
			}
			jobs.begin(job, runner.name);
			runner.onJob?.(job);
		}
	}
	/** Within a minute GitHub may show that the runner has the job. The runner then waits for another, or never hears of one again. */
	function takeBack(job: SimJob, runner: SimRunner): void {
		given.add(job);
		if (dice.chance(0.5)) jobs.begin(job, runner.name);
		clock.after(PICK_UP_MS, () => {
			given.delete(job);
			runner.job = null;
			if (dice.chance(0.5)) runner.online = false;
			jobs.queueAgain(job);
			matchSoon();
		});
	}
	let isMatching = false;
	function matchSoon(): void {
		if (isMatching) return;
		isMatching = true;
		clock.after(300 + dice.below(1500), () => {
			isMatching = false;
			match();
		});
	}

	/** A list of several pages: one call, and a point for each further page once there is room for it. */
	async function listing<T>(name: string, count: number, room: Room | undefined, effect: () => T, denied?: T): Promise<T> {
		const answer = await call(name, 1, effect, denied);
		for (let page = 2; page <= count; page += 1) {
			await room?.();
			spend(1);
		}
		return answer;
	}

	const runOf = (run: SimRun): Run => {
		const { id, attempt, repository, event, headBranch, fork, updatedAt } = run;
		const { status, conclusion } = jobs.statusOf(run);
		const headRepository = fork ? "stranger/fork" : repository;
		const of = { path: ".github/workflows/ci.yml", repositoryId: 1, actor: "mona", triggeringActor: "mona" };
		return {
			...of,
			id,
			attempt,
			status,
			conclusion,
			event,
			headBranch,
			headRepository,
			repository,
			pullRequest: event === "push" ? null : 1,
			updatedAt,
		};
	};
	const jobOf = ({ id, status, conclusion, runnerName, labels, createdAt }: SimJob): RunJob => {
		return { id, name: `job ${id}`, createdAt, completedAt: null, status, conclusion, runnerName, labels };
	};

	function rerun(run: SimRun | undefined): Done {
		if (run) rerunning(run);
		const isDone = run !== undefined && jobs.statusOf(run).status === "completed" && jobs.rerun(run);
		if (isDone) matchSoon();
		return isDone ? { done: true } : UNDONE;
	}
	function deletion(runner: SimRunner | undefined): "absent" | "busy" | "deleted" {
		if (!runner) return "absent";
		if (runner.job) return "busy";
		forget(runner);
		return "deleted";
	}

	const port: GitHub = {
		run: (_, id) => call("GET run", 1, () => (jobs.runs.has(id) ? runOf(jobs.runs.get(id) as SimRun) : null), null),
		attemptJobs(_, runId, attempt, room) {
			const listed = () => jobs.runs.get(runId)?.jobs.filter((job) => job.attempt === attempt) ?? null;
			return listing("GET jobs", jobPages(listed()?.length ?? 0), room, () => listed()?.map(jobOf) ?? null, null);
		},
		job: (_, id) => call("GET job", 1, () => (jobs.jobs.has(id) ? jobOf(jobs.jobs.get(id) as SimJob) : null), null),
		openRuns: ({ repository }) =>
			call("GET runs", 2, () => {
				const runs = [...new Set(jobs.open().map(({ runId }) => jobs.runs.get(runId)))];
				return runs.filter((run) => run?.repository === repository).map((run) => runOf(run as SimRun));
			}),
		createRunner: (_, { name, labels }) =>
			call("POST jit", 5, () => {
				if (byName.has(name)) return "exists" as const;
				const runner: SimRunner = { id: ++ids, name, labels, registeredAt: clock.now(), online: false, job: null, onJob: null };
				runners.set(runner.id, runner);
				byName.set(name, runner);
				return { jitConfig: `jit-${runner.id}` };
			}),
		findRunner: (_, name) =>
			call("GET runners", 1, () => {
				const runner = byName.get(name);
				return runner ? { id: runner.id, online: runner.online, busy: runner.job !== null } : null;
			}),
		runners: (_, room) =>
			listing("GET runners", pages(runners.size, MOST_RUNNERS), room, () =>
				[...runners.values()].map(({ id, name, online, job }) => ({ id, name, online, busy: job !== null })).slice(0, MOST_RUNNERS),
			),
		deleteRunner: (_, id) => call<"absent" | "busy" | "deleted">("DELETE runner", 5, () => deletion(runners.get(id)), "absent"),
		rerunFailedJobs: (_, runId) => call<Done>("POST rerun", 5, () => rerun(jobs.runs.get(runId)), UNDONE),
		/** No run that is simulated has jobs of two kinds. */
		rerunJob: () => call<Done>("POST rerun", 5, () => UNDONE, UNDONE),
		cancelRun: () => call<Done>("POST cancel", 5, () => UNDONE, UNDONE),
		runnerGroup: () => call<RunnerGroup | null>("GET runner-groups", 1, () => GROUP, null),
		approvals: (_, runId) =>
			call("GET approvals", 1, () => (jobs.runs.get(runId)?.approved ? [{ state: "approved", environments: ["production"] }] : [])),
		deliveriesSince(moment, room) {
			const listed = () => jobs.deliveriesSince(moment).slice(0, MOST_DELIVERIES);
			return listing("GET deliveries", pages(listed().length, MOST_DELIVERIES), room, listed);
		},
		/** Nothing that is simulated tells which runner it has. */
		runnerReleases: async () => [],
		redeliver: (id) => call("POST redeliver", 5, () => jobs.redeliver(id)),
	};

	return {
		port,
		runners,
		matchSoon,
		mostPoints: () => most,
		/** Told of every run that the poller asks to run again. */
		onRerun(told: (run: SimRun) => void): void {
			rerunning = told;
		},
		/** A runner comes online with the configuration of its machine; null when it was deleted. */
		connect(jitConfig: string, onJob: (job: SimJob) => void): SimRunner | null {
			const runner = runners.get(Number(jitConfig.slice("jit-".length)));
			if (!runner || runner.online) return null;
			Object.assign(runner, { online: true, onJob });
			tell("github", `${runner.name} is online`);
			matchSoon();
			return runner;
		},
		/** One job was done: GitHub forgets the runner. */
		finished(runner: SimRunner, conclusion: string): void {
			if (runner.job) jobs.complete(runner.job, conclusion);
			forget(runner);
		},
		/** The machine is gone: an idle runner is offline, and a job that it ran fails when GitHub has waited long enough (FACTS 1.7). */
		lost(runner: SimRunner): void {
			runner.online = false;
			const { job } = runner;
			if (!job || given.has(job)) return;
			clock.after(60_000 + dice.below(600_000), () => {
				jobs.complete(job, "failure");
				forget(runner);
			});
		},
	};
}
