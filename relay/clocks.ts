// Every duration and count the relay goes by, as data with its reason. Pure. The variable CLOCKS overrides durations.
import * as v from "valibot";
import type { JobState } from "../contract/job.ts";
import { parserOf } from "../contract/parse.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Durations in milliseconds. */
export const DEFAULT_CLOCKS = {
	/** A lease hides its row this long once its holder has shown that it works on it. */
	lease: MINUTE,
	/** Before that first sign: an answer lost on its way must not cost a job a minute. */
	firstLease: 10 * SECOND,
	/** A burst of webhooks is handed out as one batch, so that it becomes one fleet. 0: at once. */
	linger: 30,
	/** Next check of a job that waits for an approval. */
	waiting: 10 * MINUTE,
	/** Next check of a job whose machine was launched. */
	checkAfter: 3 * MINUTE,
	running: 15 * MINUTE,
	/** After a sign that a machine is gone: time for GitHub's own word to arrive first. */
	goneCheckAfter: MINUTE,
	/** A machine switches itself off this soon after its job, or is terminated. */
	offAfter: MINUTE,
	/** A machine that no job owns may still be named by a settle on its way or by a replayed intent. */
	adoptAfter: 5 * MINUTE,
	/** No launch is replayed for a machine whose launch no job waits for any more: this is for a settle that is on its way. */
	leftAfter: 2 * MINUTE,
	/** A machine launched this recently may be missing from EC2's list (eventual consistency). */
	absentAfter: 2 * MINUTE,
	/** A machine left over by a swap waits this long for the job it was taken from. */
	spareAfter: MINUTE,
	/** GitHub ends a self-hosted job after 5 days (FACTS 2.3); shorter limits are the poller's. */
	hardLimit: 5 * DAY + HOUR,
	/** Without capacity for this long a job is given up. */
	giveUpAfter: 6 * HOUR,
	/** GitHub must say 404 over at least this long before it is believed. */
	goneWindow: 5 * MINUTE,
	/** Pause before an effect that failed is tried again. */
	retry: MINUTE,
	/** A request's body must have come by then: GitHub itself gives up after 10 s (FACTS 2.6). */
	body: 10 * SECOND,
	/** How long a lease answer can be asked for again. */
	answers: 2 * MINUTE,
	/** A session that has not leased for this long has left its seat. */
	seatIdle: 40 * SECOND,
	/** A session with less left than this lets a newcomer in. It leases until 45 s before its end and newcomers start every minute: one of them finds the seat free in time. */
	seatEnding: 105 * SECOND,
	/** Ended jobs are kept this long. */
	keep: 7 * DAY,
	/** What is remembered of job starts. */
	keepStarts: 90 * DAY,
	/** An intent that no open job names is kept this long, for whoever looks into a launch. */
	keepIntents: DAY,
	housekeeping: HOUR,
	/** Several spot machines taken back within this time stop spot for that time. */
	breakerWindow: 15 * MINUTE,
	breakerOpen: 30 * MINUTE,
};
export type Clocks = typeof DEFAULT_CLOCKS;

/** Counts. */
export const LIMITS = {
	/** Boots that may fail before the next failure ends the job. */
	failedBoots: 3,
	/** Failures of a kind nobody knows, with no machine in between. */
	unknowns: 10,
	goneReadings: 3,
	/** Spot machines taken back before spot is not asked for. */
	interruptions: 2,
	/** Machines that say their runner's version is deprecated before launching is paused. */
	deprecations: 2,
	/** Tries that fail in a row before a termination is left to the sweep, and a rerun to people. */
	taskTries: 10,
	/** State changes kept for each job: the first and the newest. */
	history: 100,
};

/** JIT calls in any minute. GitHub's secondary limit is 900 points, 5 for each POST (FACTS 2.8): this leaves 350 for everything else (poller/points.ts). */
export const JIT_CALLS_A_MINUTE = 110;

/** Token buckets: `size` at once, `perSecond` after that. */
export const RATES = {
	/** EC2's mutating calls (FACTS 4.1). */
	ec2: { size: 50, perSecond: 5 },
	/** Reports of one machine, each a row written: a life has about ten, and a job can forge more. */
	reports: { size: 60, perSecond: 1 / 60 },
};

const Overrides = v.strictObject(
	Object.fromEntries(
		Object.keys(DEFAULT_CLOCKS).map((name) => [
			name,
			v.optional(v.pipe(v.number(), v.integer(), v.minValue(name === "linger" ? 0 : 1), v.maxValue(400 * DAY))),
		]),
	),
);
const parseOverrides = parserOf(Overrides);

/** Reads the variable CLOCKS: a JSON object of milliseconds by name; absent or empty leaves the defaults. */
export function parseClocks(text: string | undefined): { ok: true; clocks: Clocks } | { ok: false; reason: string } {
	if (!text) return { ok: true, clocks: DEFAULT_CLOCKS };
	let read: unknown;
	try {
		read = JSON.parse(text);
	} catch {
		return { ok: false, reason: "not JSON" };
	}
	const parsed = parseOverrides(read);
	return parsed.ok ? { ok: true, clocks: { ...DEFAULT_CLOCKS, ...parsed.value } } : parsed;
}

/** When a job that has just entered a state is looked at next; null for the states that are ends. */
export function nextCheck(state: JobState, now: number, clocks: Clocks): number | null {
	switch (state) {
		case "waiting":
			return now + clocks.waiting;
		case "queued":
			return now;
		case "launching":
			return now + clocks.lease;
		case "launched":
			return now + clocks.checkAfter;
		case "running":
			return now + clocks.running;
		default:
			return null;
	}
}
