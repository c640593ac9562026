// One job's story put together from the three who know a part of it: GitHub, the relay's ledger and EC2. Pure.
import type { JobView, Timings } from "../contract/job.ts";
import type { InstanceView } from "./ec2.ts";
import type { RunJob } from "./github/run.ts";
import type { ProgressJob } from "./progress.ts";
import type { JobSummary } from "./summary.ts";

export type LedgerJob = JobView;

const NOTHING: Timings = {
	receivedAt: null,
	leasedAt: null,
	launchedAt: null,
	claimedAt: null,
	listeningAt: null,
	startedAt: null,
	finishedAt: null,
	offAt: null,
};
/** Annotations of a job that did not come to the end its own steps give it (FACTS 1.5, 1.7). */
const CUT_SHORT = /shutdown signal|lost communication/;

const STAGE_NAMES: Record<string, string> = {
	queued: "queued",
	waiting: "waiting",
	launching: "launching",
	launched: "booting",
	running: "running",
};

function stageOf(job: RunJob, known: LedgerJob | undefined): { stage: string; since: number } {
	if (job.status === "completed") return { stage: job.conclusion ?? "completed", since: job.completedAt ?? job.createdAt };
	if (job.status === "in_progress") return { stage: "running", since: job.startedAt ?? job.createdAt };
	if (known === undefined) return { stage: job.status, since: job.queuedAt };
	const { listeningAt, claimedAt, launchedAt, receivedAt } = known.timings;
	if (known.state === "launched" && listeningAt !== null) return { stage: "listening", since: listeningAt };
	return { stage: STAGE_NAMES[known.state] ?? known.state, since: claimedAt ?? launchedAt ?? receivedAt ?? job.queuedAt };
}

/** Runner names carry the instance they run on; it may be another one than the ledger thinks, until the webhook says so. */
function instanceIn(runnerName: string | undefined): string | undefined {
	return /i-[0-9a-f]{17}/.exec(runnerName ?? "")?.[0];
}

/** What a job looks like while the run goes on. */
export function progressOf(job: RunJob, known: LedgerJob | undefined): ProgressJob {
	const told = known?.state === "refused" || known?.state === "dead" ? known.reason : null;
	const detail = told ?? instanceIn(job.runner?.name) ?? known?.machine?.instanceId ?? "";
	return { id: job.id, name: job.name, ...stageOf(job, known), ended: job.status === "completed", detail };
}

/** The machine that ran a job, by the runner's name at GitHub: the ledger's own may have been swapped or replaced. */
function machineOf(job: RunJob, known: LedgerJob | undefined, machines: InstanceView[]): InstanceView | undefined {
	const instanceId = instanceIn(job.runner?.name) ?? known?.machine?.instanceId;
	return machines.find((machine) => machine.instanceId === instanceId);
}

/** A rerun lists jobs that did not run again under new ids (FACTS 3): the one that did run is the one to tell of. */
export function originOf(job: RunJob, all: readonly RunJob[]): RunJob {
	const earlier = all.filter((it) => it.name === job.name && it.attempt < job.attempt && it.conclusion === job.conclusion);
	return earlier.find((it) => it.runner?.name === job.runner?.name && it.startedAt === job.startedAt) ?? job;
}

/** What became of a job. `refusal` is the ledger's reason if it got no machine. */
export function jobSummary(job: RunJob, known: LedgerJob | undefined, machines: InstanceView[], refusal: string | null): JobSummary {
	const machine = machineOf(job, known, machines);
	const timings = known?.timings ?? NOTHING;
	const cutShort = job.annotations.find((annotation) => CUT_SHORT.test(annotation)) ?? null;
	return {
		id: job.id,
		name: job.name,
		attempt: job.attempt,
		conclusion: job.conclusion,
		instanceId: machine?.instanceId ?? null,
		allowedToFail: job.allowedToFail,
		reason: refusal ?? cutShort,
		queuedAt: job.queuedAt,
		timings: { ...timings, offAt: machine?.terminatedAt ?? timings.offAt },
	};
}
