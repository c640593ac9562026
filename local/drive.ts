// Takes one run from its start to the moment when nothing of it is left: what a person at GitHub's page would do, and what EC2 would.
import type { Run, RunJob } from "./github/run.ts";
import { currentJobs } from "./github/run.ts";
import type { ProgressJob } from "./progress.ts";
import { jobSummary, type LedgerJob, originOf, progressOf } from "./story.ts";
import { type RunSummary, summarize } from "./summary.ts";
import type { System } from "./system.ts";
import type { Workflow } from "./workflow/model.ts";

export interface DriveOptions {
	signal: AbortSignal;
	onProgress?: (jobs: ProgressJob[]) => void;
	/** How long machines may take to be off, and an interrupted run to be rerun, once all jobs have ended; milliseconds. */
	patience?: number;
}

/** How often the run, the ledger and EC2 are looked at; milliseconds. */
const LOOK_EVERY = 200;
const PATIENCE = 90_000;
/** EC2 gives two minutes; here nobody wants to wait for them. */
const SPOT_NOTICE = 4_000;
/** Job-level variable that has EC2 take the job's machine back, so long after it began its first attempt. */
const INTERRUPTION = "MAYFLY_LOCAL_SPOT_INTERRUPTION";

function interruptionAfter(job: RunJob): number | null {
	const seconds = /^(\d+(?:\.\d+)?)s?$/.exec(String(job.spec.env[INTERRUPTION] ?? ""))?.[1];
	return seconds === undefined || job.attempt > 1 ? null : Number(seconds) * 1000;
}

/** Interrupts the machine that a job runs on; a machine that is on demand, or gone already, cannot be. */
function interrupt(system: System, job: RunJob): void {
	const machine = system.ec2.instances().find(({ instanceId }) => job.runner?.name.includes(instanceId));
	if (machine?.state === "running" && machine.market === "spot") system.ec2.interrupt(machine.instanceId, { noticeMs: SPOT_NOTICE });
}

/** Jobs that will get no machine: refused or given up by the ledger while nothing else of the run is under way. */
function nothingElseToCome(run: Run, ledger: Map<number, LedgerJob>): boolean {
	const open = currentJobs(run).filter((job) => job.status !== "completed");
	return open.length > 0 && open.every((job) => ["refused", "dead"].includes(ledger.get(job.id)?.state ?? ""));
}

/** An attempt that failed with an interrupted machine is run again, if the system does its work. */
function awaitsRerun(run: Run, interrupted: Set<number>): boolean {
	return run.conclusion === "failure" && currentJobs(run).some((job) => interrupted.has(job.id) && job.conclusion === "failure");
}

/** Runs a workflow to its end. Throws when the signal is aborted or a part cannot be reached. */
export async function driveRun(system: System, workflow: Workflow, options: DriveOptions): Promise<RunSummary> {
	const interrupted = new Set<number>();
	const timers = new Set<Timer>();
	const stopListening = system.github.onJob(({ action, job }) => {
		const after = interruptionAfter(job);
		if (action !== "in_progress" || after === null) return;
		interrupted.add(job.id);
		timers.add(setTimeout(() => interrupt(system, job), after));
	});
	const run = system.github.createRun({ workflow, repository: system.repository });
	const refusals = new Map<number, string>();
	try {
		let endedAt: number | null = null;
		for (;;) {
			options.signal.throwIfAborted();
			const ledger = await system.ledger();
			options.onProgress?.(
				currentJobs(run)
					.map((job) => originOf(job, run.jobs))
					.map((job) => progressOf(job, ledger.get(job.id))),
			);
			for (const job of currentJobs(run)) {
				const known = ledger.get(job.id);
				if (known?.state === "refused" || known?.state === "dead") refusals.set(job.id, known.reason ?? known.state);
			}
			if (run.conclusion === null && nothingElseToCome(run, ledger)) system.github.cancelRun(run.id);
			endedAt = run.conclusion === null ? null : (endedAt ?? Date.now());
			const alive = system.ec2.instances().some(({ state }) => state !== "terminated");
			if (endedAt !== null && !alive && !awaitsRerun(run, interrupted)) break;
			if (endedAt !== null && Date.now() - endedAt > (options.patience ?? PATIENCE)) break;
			await Bun.sleep(LOOK_EVERY);
		}
		return await conclude(system, run, refusals);
	} finally {
		stopListening();
		for (const timer of timers) clearTimeout(timer);
	}
}

async function conclude(system: System, run: Run, refusals: Map<number, string>): Promise<RunSummary> {
	await system.github.waitForRun(run.id);
	const machines = system.ec2.instances();
	const ledger = await system.ledger();
	const told = currentJobs(run).map((job) => originOf(job, run.jobs));
	const jobs = told.map((job) => jobSummary(job, ledger.get(job.id), machines, refusals.get(job.id) ?? null));
	const stats = await system.stats();
	const terminated = machines.filter(({ state }) => state === "terminated").length;
	return summarize(
		jobs,
		{ launched: machines.length, terminated, alive: machines.length - terminated },
		{ deliveries: stats.deliveries, duplicates: stats.duplicates },
	);
}
