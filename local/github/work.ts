// Between queue and runners: offers jobs, lets them be acquired, renewed and completed, takes back what was not, fails what fell silent.
import type { Conclusion } from "../workflow/model.ts";
import { pairUp } from "./dispatch.ts";
import type { Completion } from "./protocol.ts";
import { currentJobs, type Run, type RunJob } from "./run.ts";
import type { Runner, Runners } from "./runners.ts";
import type { Runs } from "./runs.ts";

/** An offered job not acquired by then goes back to the queue (FACTS 1.10), milliseconds. */
const ACQUIRE_WITHIN = 60_000;

const CONCLUSIONS: Record<Completion["result"], Conclusion> = { Succeeded: "success", Failed: "failure", Canceled: "cancelled" };

export interface Work {
	/** Offers queued jobs to idle runners that listen. */
	dispatch(): void;
	/** 200 with the job, or how GitHub refuses: 404 not a job to run, 409 another's, 422 never offered to this runner. */
	acquire(runner: Runner, jobId: number): { status: 200; job: RunJob; run: Run } | { status: 404 | 409 | 422 };
	/** Null when the job is not this runner's to renew. */
	renew(runner: Runner, jobId: number): { cancelled: boolean } | null;
	/** The job this runner runs, by its id. */
	running(runner: Runner, jobId: number): RunJob | null;
	complete(runner: Runner, completion: Completion): boolean;
	/** The runner leaves: an offered job goes back to the queue, a running one will fall silent. */
	leave(runner: Runner): void;
	/** A cancelled job's runner is told, or freed when it had not begun. */
	stop(job: RunJob): void;
	sweep(): void;
}

export interface WorkPorts {
	runs: Runs;
	runners: Runners;
	now: () => number;
	lostCommunicationMs: number;
}

export function createWork({ runs, runners, now, lostCommunicationMs }: WorkPorts): Work {
	const free = (runner: Runner) => void Object.assign(runner, { jobId: null, offeredAt: null, renewedAt: null });
	const isOffered = (jobId: number) => runners.all().some((runner) => runner.jobId === jobId);

	function dispatch(): void {
		const queued = [...runs.all.values()].flatMap((run) =>
			run.conclusion === null ? currentJobs(run).flatMap((job) => (job.status === "queued" && !isOffered(job.id) ? { run, job } : [])) : [],
		);
		const idle = runners
			.all()
			.filter((runner) => runner.jobId === null && runners.isOnline(runner))
			.toSorted((a, b) => (a.session?.startedAt ?? 0) - (b.session?.startedAt ?? 0));
		for (const { job, runnerId } of pairUp(queued, idle)) {
			const runner = runners.get(runnerId);
			if (!runner) continue;
			Object.assign(runner, { jobId: job.id, offeredAt: now(), renewedAt: null });
			runners.send(runner, { messageType: "RunnerJobRequest", jobId: job.id });
		}
	}

	function running(runner: Runner, jobId: number): RunJob | null {
		const job = runs.jobs.get(jobId);
		return job && runner.jobId === jobId && job.status === "in_progress" && runner.renewedAt !== null ? job : null;
	}

	/** The registration of an ephemeral runner ends with its job. */
	function end(runner: Runner, job: RunJob, conclusion: Conclusion, details: Parameters<Runs["finish"]>[2]): void {
		runners.remove(runner);
		runs.finish(job, conclusion, details);
		dispatch();
	}

	function sweepRunner(runner: Runner): void {
		const at = now();
		if (runner.jobId === null) return;
		if (runner.renewedAt === null) {
			if (at - (runner.offeredAt ?? 0) > ACQUIRE_WITHIN) free(runner);
			return;
		}
		const job = running(runner, runner.jobId);
		if (!job || at - runner.renewedAt <= lostCommunicationMs) return;
		const lost = `The self-hosted runner lost communication with the server. Verify the machine is running and has a healthy network connection. (${runner.name})`;
		end(runner, job, job.cancelRequested ? "cancelled" : "failure", { annotations: [lost] });
	}

	return {
		...{ dispatch, running },
		acquire(runner, jobId) {
			const job = runs.jobs.get(jobId);
			const run = job && runs.all.get(job.runId);
			if (!job || !run || job.status === "completed" || job.status === "waiting") return { status: 404 };
			if (job.status === "in_progress") return { status: 409 };
			if (runner.jobId !== jobId) return { status: isOffered(jobId) ? 409 : 422 };
			runner.renewedAt = now();
			const { id, name, group } = runner;
			runs.start(job, { id, name, groupId: group.id, groupName: group.name });
			return { status: 200, job, run };
		},
		renew(runner, jobId) {
			const job = running(runner, jobId);
			if (!job) return null;
			runner.renewedAt = now();
			return { cancelled: job.cancelRequested };
		},
		complete(runner, completion) {
			const job = running(runner, completion.jobId);
			if (job) end(runner, job, CONCLUSIONS[completion.result], completion);
			return job !== null;
		},
		leave(runner) {
			runner.session?.wake?.();
			runner.session = null;
			if (runner.renewedAt === null) free(runner);
			dispatch();
		},
		stop(job) {
			const runner = runners.all().find(({ jobId }) => jobId === job.id);
			if (!runner) return;
			if (runner.renewedAt === null) free(runner);
			else runners.send(runner, { messageType: "JobCancellation", jobId: job.id });
		},
		sweep() {
			for (const runner of runners.all()) sweepRunner(runner);
			runners.sweep();
			dispatch();
		},
	};
}
