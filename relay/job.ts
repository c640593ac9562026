// What the ledger keeps of a job, and the few ways in which a record changes. Pure: every change gives a new record.
import type { Change, JobPointer, JobState, JobView, Machine, Timings } from "../contract/job.ts";
import type { LaunchItem } from "../contract/lease.ts";
import { type Clocks, LIMITS, nextCheck } from "./clocks.ts";
import { costOf } from "./job-cost.ts";

/**
 * The machine that a job has, or that a launch will bring it. Two jobs whose runners took each other's work swap seats whole, so that
 * what a machine reported stays with the machine.
 */
export interface Seat {
	/** Instance id; or, while the launch is under way, the id of the work item that will name it. */
	key: string;
	runnerName: string | null;
	/** Null until the settle that describes it; a webhook may name a machine before that. */
	machine: Machine | null;
	launchedAt: number | null;
	claimedAt: number | null;
	listeningAt: number | null;
	runningAt: number | null;
	finishedAt: number | null;
	offAt: number | null;
	/** Said to be taken by EC2: by itself, or by EC2's own state reason. */
	interrupted: boolean;
	denied: boolean;
	/** EC2's own state reason says that it took the machine back. */
	takenBack?: boolean;
	/** Sequence of its newest report. */
	reported: number;
}

export interface Job {
	pointer: JobPointer;
	state: JobState;
	reason: string | null;
	conclusion: string | null;
	environment: string | null;
	/** Set where a look at GitHub brought it in: its webhook was lost. */
	source?: "discovery";
	/** GitHub's creation time. */
	queuedAt: number;
	/** When it entered its state. */
	since: number;
	seat: Seat | null;
	/** A machine that was its own before its runner turned out to be another one: for whoever that other one was made for. */
	spare: Seat | null;
	lease: string | null;
	/** Token of the launch that was decided and not yet known to have ended. */
	intent: string | null;
	dueAt: number | null;
	onDemand: boolean;
	failedBoots: number;
	unknowns: number;
	/** Since when launches have been put off without a success in between. */
	putOffSince: number | null;
	/** Set while it is put off since GitHub registers no runners of its owner. */
	awaits?: LaunchItem["awaits"];
	gone: { readings: number; since: number } | null;
	/** When a check first read it as queued although it runs; null or absent: the newest check did not. */
	foundQueuedAt?: number | null;
	receivedAt: number;
	leasedAt: number | null;
	startedAt: number | null;
	finishedAt: number | null;
	/** Action, status and runner of the deliveries applied, so that a second copy under another id is known. */
	heard: string[];
	/** Whether its start was recorded. */
	told: boolean;
	/** Ids of the newest deliveries applied. */
	deliveries: string[];
	history: Change[];
}

const ORDER: readonly JobState[] = ["waiting", "queued", "launching", "launched", "running", "done"];

export function isEnded(job: Job): boolean {
	return job.dueAt === null;
}
/** Whether a job has not come as far as a state. Refused and dead have come further than any. */
export function isBefore(job: Job, state: JobState): boolean {
	return ORDER.includes(job.state) && ORDER.indexOf(job.state) < ORDER.indexOf(state);
}

export function newSeat(key: string, runnerName: string | null = null): Seat {
	return {
		key,
		runnerName,
		machine: null,
		launchedAt: null,
		claimedAt: null,
		listeningAt: null,
		runningAt: null,
		finishedAt: null,
		offAt: null,
		interrupted: false,
		denied: false,
		reported: 0,
	};
}

/**
 * A seat whose machine is known by now. What the machine reported before stays, whether it was noted under its own id or under the
 * launch that brought it. A machine that spoke before its launch was settled was launched by then.
 */
export function seatOf(machine: Machine, now: number, ...before: (Seat | null | undefined)[]): Seat {
	const known = before.filter((seat) => seat?.key === machine.instanceId || !isMachine(seat ?? null));
	const at = (stage: "launchedAt" | "claimedAt" | "listeningAt" | "runningAt" | "finishedAt" | "offAt") =>
		known.map((seat) => seat?.[stage] ?? null).find((moment) => moment !== null) ?? null;
	const claimedAt = at("claimedAt");
	return {
		key: machine.instanceId,
		runnerName: machine.runnerName,
		machine,
		launchedAt: at("launchedAt") ?? Math.min(now, claimedAt ?? now),
		claimedAt,
		listeningAt: at("listeningAt"),
		runningAt: at("runningAt"),
		finishedAt: at("finishedAt"),
		offAt: at("offAt"),
		interrupted: known.some((seat) => seat?.interrupted),
		denied: known.some((seat) => seat?.denied),
		takenBack: known.some((seat) => seat?.takenBack),
		reported: Math.max(0, ...known.map((seat) => seat?.reported ?? 0)),
	};
}

/** Whether the seat is a machine rather than a launch under way. */
export function isMachine(seat: Seat | null): seat is Seat {
	return seat?.key.startsWith("i-") ?? false;
}

/** Moves a job to a state with the reason, starts the state's clock and ends any lease. The same state again only restarts the clock. */
export function enter(job: Job, state: JobState, reason: string, now: number, clocks: Clocks): Job {
	const moved = { ...job, state, lease: null, dueAt: nextCheck(state, now, clocks) };
	if (job.state === state && job.history.length > 0) return moved;
	const change: Change = { at: now, from: job.history.length > 0 ? job.state : null, to: state, reason: reason.slice(0, 2048) };
	const [first, ...rest] = [...job.history, change];
	const history = first ? [first, ...rest.slice(1 - LIMITS.history)] : [];
	return { ...moved, reason: change.reason, since: now, history };
}

/** Begins a record in its first state. */
export function newJob(pointer: JobPointer, queuedAt: number, state: JobState, reason: string, now: number, clocks: Clocks): Job {
	const blank: Job = {
		pointer,
		state,
		reason: null,
		conclusion: null,
		environment: null,
		queuedAt,
		since: now,
		seat: null,
		spare: null,
		lease: null,
		intent: null,
		dueAt: null,
		onDemand: false,
		failedBoots: 0,
		unknowns: 0,
		putOffSince: null,
		gone: null,
		receivedAt: now,
		leasedAt: null,
		startedAt: null,
		finishedAt: null,
		heard: [],
		told: false,
		deliveries: [],
		history: [],
	};
	return enter(blank, state, reason, now, clocks);
}

/** Every stage in the order in which a job goes through them. */
const STAGES = ["receivedAt", "leasedAt", "launchedAt", "claimedAt", "listeningAt", "startedAt", "finishedAt", "offAt"] as const;

/** The stages as shown: GitHub's word where there is one, the machine's own otherwise. The moments come from three clocks and over three ways: none is shown before the one it follows. */
export function timingsOf(job: Job): Timings {
	const { seat } = job;
	const finished = [job.finishedAt, seat?.finishedAt ?? null].filter((at) => at !== null);
	const timings: Timings = {
		receivedAt: job.receivedAt,
		leasedAt: job.leasedAt,
		launchedAt: seat?.launchedAt ?? null,
		claimedAt: seat?.claimedAt ?? null,
		listeningAt: seat?.listeningAt ?? null,
		startedAt: job.startedAt ?? seat?.runningAt ?? null,
		finishedAt: finished.length > 0 ? Math.min(...finished) : null,
		offAt: seat?.offAt ?? null,
	};
	let latest = 0;
	for (const stage of STAGES) {
		const at = timings[stage];
		if (at === null) continue;
		latest = Math.max(latest, at);
		timings[stage] = latest;
	}
	return timings;
}

/** A job as operators see it. */
export function viewOf(job: Job): JobView {
	const { pointer, state, reason, conclusion, dueAt } = job;
	const machine = job.seat?.machine ?? null;
	const timings = timingsOf(job);
	return { ...pointer, state, reason, conclusion, machine, timings, cost: costOf(machine, timings), nextCheckAt: dueAt };
}
