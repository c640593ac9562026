// A model of GitHub's jobs: runs, what happens to them, and the webhooks that tell of it late, twice or never.
import type { JobEvent, JobStatus } from "../../contract/job.ts";
import type { Delivery as Record } from "../../poller/ports.ts";
import type { Setting } from "./world.ts";

export interface SimJob {
	id: number;
	runId: number;
	attempt: number;
	labels: string[];
	status: JobStatus;
	conclusion: string | null;
	runnerName: string | null;
	createdAt: number;
	/** How long it runs. */
	duration: number;
	/** Nothing serves it, or its tier does not admit it. */
	refused: boolean;
	environment: string | null;
}
export interface SimRun {
	id: number;
	attempt: number;
	repository: string;
	event: string;
	headBranch: string;
	fork: boolean;
	approved: boolean;
	cancelled: boolean;
	updatedAt: number;
	jobs: SimJob[];
}
export type Deliver = (guid: string, event: JobEvent) => Promise<boolean>;

const DELIVERIES_KEPT = 3 * 24 * 3_600_000;

export type JobsModel = ReturnType<typeof createJobsModel>;

export function createJobsModel(setting: Setting, deliver: Deliver) {
	const { clock, dice, faults, tell } = setting;
	const runs = new Map<number, SimRun>();
	const jobs = new Map<number, SimJob>();
	const open = new Set<SimJob>();
	/** In the order of time, with what each told. */
	const records: Record[] = [];
	const payloads = new Map<number, JobEvent>();
	let ids = 1000;

	function eventOf(job: SimJob, action: JobEvent["action"]): JobEvent {
		const run = runs.get(job.runId) as SimRun;
		const [owner = ""] = run.repository.split("/");
		const { id, runId, attempt, labels, status, conclusion, runnerName, createdAt } = job;
		const pointer = { id, runId, attempt, repository: run.repository, owner, installationId: 7, labels, name: `job ${id}` };
		return { action, status, conclusion, runnerName, environment: job.environment, createdAt, job: pointer };
	}

	async function attempt(guid: string, payload: JobEvent, mayFail: boolean): Promise<void> {
		await clock.sleep(50 + dice.below(200) + dice.below(1 + Math.round(faults.now.webhookDelay)));
		const isLost = mayFail && dice.chance(faults.now.webhookFailed);
		const succeeded = !isLost && (await deliver(guid, payload));
		payloads.set(++ids, payload);
		records.push({ id: ids, guid, deliveredAt: clock.now(), isOver: succeeded, event: "workflow_job" });
	}

	function tellRelay(job: SimJob, action: JobEvent["action"]): void {
		const run = runs.get(job.runId);
		if (run) run.updatedAt = clock.now();
		const guid = `guid-${++ids}`;
		const payload = eventOf(job, action);
		tell("github", `job ${job.id} ${action}${job.runnerName ? ` on ${job.runnerName}` : ""}`);
		if (dice.chance(faults.now.webhookLost)) {
			tell("github", `the webhook of job ${job.id} ${action} is lost`);
			return;
		}
		void attempt(guid, payload, true);
		if (dice.chance(faults.now.webhookDoubled)) void attempt(guid, payload, false);
	}

	function addJob(
		run: SimRun,
		labels: string[],
		duration: number,
		{ refused, environment }: Pick<SimJob, "refused" | "environment">,
	): SimJob {
		const blank = { status: "queued" as JobStatus, conclusion: null, runnerName: null, createdAt: clock.now() };
		const job: SimJob = { id: ++ids, runId: run.id, attempt: run.attempt, labels, duration, refused, environment, ...blank };
		run.jobs.push(job);
		jobs.set(job.id, job);
		open.add(job);
		tellRelay(job, "queued");
		return job;
	}

	function complete(job: SimJob, conclusion: string): void {
		if (job.status === "completed") return;
		Object.assign(job, { status: "completed", conclusion });
		open.delete(job);
		tellRelay(job, "completed");
	}

	return {
		runs,
		jobs,
		open: () => [...open],
		/** A new run with so many jobs of one kind. */
		push(
			repository: string,
			count: number,
			labels: (n: number) => string[],
			more: Partial<Pick<SimRun, "event" | "headBranch" | "fork" | "approved">> & Partial<Pick<SimJob, "refused" | "environment">> = {},
		): SimRun {
			const run: SimRun = {
				...{ id: ++ids, attempt: 1, repository, event: more.event ?? "push", headBranch: more.headBranch ?? "main" },
				...{ fork: more.fork ?? false, approved: more.approved ?? false, cancelled: false, updatedAt: clock.now(), jobs: [] },
			};
			runs.set(run.id, run);
			for (let n = 0; n < count; n++)
				addJob(run, labels(n), 5000 + dice.below(20 * 60_000), { refused: more.refused ?? false, environment: more.environment ?? null });
			return run;
		},
		/** Somebody who holds the relay's secret, or the relay itself, tells of a job that is not there. */
		forge(labels: string[]): void {
			const [owner, repository] = ["octo-org", "octo-org/octo-repo"];
			const pointer = { id: ++ids, runId: ++ids, attempt: 1, repository, owner, installationId: 7, labels, name: "forged" };
			const payload: JobEvent = {
				...{ action: "queued", status: "queued", conclusion: null, runnerName: null, environment: "production", createdAt: clock.now() },
				job: pointer,
			};
			tell("forger", `tells of job ${pointer.id}`);
			void deliver(`guid-${++ids}`, payload);
		},
		/** Whether a tier may launch a machine for a job: by what the job is, not by what anybody says of it. */
		mayHave({ runId, environment }: SimJob, tier: string): boolean {
			const run = runs.get(runId);
			if (tier !== "deploy") return tier === "build" && environment !== "production";
			return (
				run !== undefined && !run.fork && run.event === "push" && run.headBranch === "main" && run.approved && environment === "production"
			);
		},
		begin(job: SimJob, runnerName: string): void {
			Object.assign(job, { status: "in_progress", runnerName });
			tellRelay(job, "in_progress");
		},
		complete,
		/** The runner that it was given to did not take it. */
		queueAgain(job: SimJob): void {
			if (job.status === "completed") return;
			tell("github", `job ${job.id} is taken back${job.runnerName ? ` from ${job.runnerName}` : ""}`);
			Object.assign(job, { status: "queued", runnerName: null });
			if (dice.chance(0.5)) tellRelay(job, "queued");
		},
		/** Failed jobs run again as new jobs of the next attempt. */
		rerun(run: SimRun): boolean {
			const failed = run.jobs.filter(({ attempt, conclusion }) => attempt === run.attempt && conclusion === "failure");
			if (failed.length === 0) return false;
			run.attempt += 1;
			for (const { labels, duration, ...kind } of failed) addJob(run, labels, duration, kind);
			return true;
		},
		cancel(job: SimJob): void {
			complete(job, "cancelled");
		},
		statusOf(run: SimRun): { status: string; conclusion: string | null } {
			let isSuccess = true;
			for (const { attempt, status, conclusion } of run.jobs) {
				if (attempt !== run.attempt) continue;
				if (status !== "completed") return { status: "in_progress", conclusion: null };
				isSuccess &&= conclusion === "success";
			}
			return { status: "completed", conclusion: isSuccess ? "success" : "failure" };
		},
		/** The newest first. */
		deliveriesSince(moment: number): Record[] {
			const since = Math.max(moment, clock.now() - DELIVERIES_KEPT);
			const first = records.findLastIndex(({ deliveredAt }) => deliveredAt < since) + 1;
			return records.slice(first).reverse();
		},
		redeliver(id: number): void {
			const [record, payload] = [records.find((it) => it.id === id), payloads.get(id)];
			if (record && payload) void attempt(record.guid, payload, true);
		},
	};
}
