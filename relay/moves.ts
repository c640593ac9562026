// What a decision of the ledger asks to be written down: changed jobs, machines to end, runs to rerun. Data only.
import type { JobPointer } from "../contract/job.ts";
import type { Start } from "../contract/start.ts";
import type { Job, Seat } from "./job.ts";

/** A machine to end after its runner was deleted at GitHub (DESIGN 4), from a moment on. */
export interface Ending {
	instanceId: string;
	runnerName: string;
	job: JobPointer | null;
	reason: string;
	dueAt: number;
}

export interface Moves {
	jobs: Job[];
	endings: Ending[];
	/** Instances that got a job after all: an ending asked for before is taken back. */
	spared: string[];
	/** Jobs that an interruption ended: their run is to be rerun. */
	interrupted: Job[];
	/** Jobs that began on a machine of ours. */
	started: Start[];
}

export function movesOf(...jobs: Job[]): Moves {
	return { jobs, endings: [], spared: [], interrupted: [], started: [] };
}

/** Ends the machine of a seat; a launch under way has none yet and is ended when it is named. */
export function endingOf(seat: Seat | null, job: Job, reason: string, dueAt: number): Ending[] {
	if (!seat?.key.startsWith("i-")) return [];
	const runnerName = seat.runnerName ?? runnerNameOf(seat.key, job.pointer.attempt);
	return [{ instanceId: seat.key, runnerName, job: job.pointer, reason, dueAt }];
}

/** Runner names carry the instance they run on (DESIGN 4). */
export function runnerNameOf(instanceId: string, attempt: number): string {
	return `mayfly-${instanceId}-${attempt}`;
}

/** The instance named by a runner of ours, or null: the job runs elsewhere or nowhere. */
export function instanceOf(runnerName: string | null): string | null {
	return /^mayfly-(i-(?:[0-9a-f]{17}|[0-9a-f]{8}))-[0-9]+$/.exec(runnerName ?? "")?.[1] ?? null;
}
