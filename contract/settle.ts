// POST /settle: what became of each leased item, keyed by workId. Acknowledged after the effect.
import * as v from "valibot";
import { JobState, JobStatus, Machine } from "./job.ts";
import { Awaited, Intent } from "./lease.ts";
import { parserOf, Text, Time } from "./parse.ts";

const settled = {
	workId: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
	leaseId: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
};

/** Why a launch must wait (DESIGN 5). */
export const LaterClass = v.picklist(["capacity", "throttled", "quota", "budget", "unknown"]);
export type LaterClass = v.InferOutput<typeof LaterClass>;

export const Outcome = v.variant("outcome", [
	/** The intent, written before the effect. Keeps the lease. */
	v.object({ ...settled, outcome: v.literal("launching"), ...Intent.entries }),
	v.object({ ...settled, outcome: v.literal("launched"), ...Machine.entries }),
	/** On a launch: keep the lease. On a check, rerun or terminate: nothing to change, restart the clock of the state. */
	v.object({ ...settled, outcome: v.literal("extend") }),
	/** `intent: kept`: of a launch that was decided before and may have its machines: EC2 was not asked again, or did not say. */
	v.object({
		...{ ...settled, outcome: v.literal("later"), notBefore: Time, class: LaterClass, reason: Text },
		intent: v.optional(v.literal("kept")),
		/** GitHub registers no runners of its owner for now: a machine would wait in vain. */
		awaits: v.optional(Awaited),
	}),
	/** Not for us, and why: shown to people. Final unless the job is queued again. */
	v.object({
		...{ ...settled, outcome: v.literal("refused"), reason: Text },
		/** False: the job never asked for a machine of this stack, such as `ubuntu-latest`; nobody has to be told. */
		ours: v.optional(v.boolean()),
	}),
	/** GitHub says that the job is not waiting for a machine. Applied like the webhook that says so. */
	v.object({ ...settled, outcome: v.literal("notQueued"), status: JobStatus, conclusion: v.nullable(Text), runnerName: v.nullable(Text) }),
	/** GitHub answered 404. Ends the job after three readings over 5 minutes. */
	v.object({ ...settled, outcome: v.literal("gone") }),
	v.object({ ...settled, outcome: v.literal("terminated") }),
	/** The machine runs something: its runner could not be deleted (422). */
	v.object({ ...settled, outcome: v.literal("kept"), reason: Text }),
	v.object({ ...settled, outcome: v.literal("reran") }),
	/** A boot that came to nothing, or an effect that cannot be had. On a job: back to the queue, at most three times. */
	v.object({ ...settled, outcome: v.literal("failed"), reason: Text }),
]);
export type Outcome = v.InferOutput<typeof Outcome>;

export const SettleRequest = v.object({ results: v.pipe(v.array(Outcome), v.minLength(1), v.maxLength(1000)) });
export type SettleRequest = v.InferOutput<typeof SettleRequest>;
export const parseSettleRequest = parserOf(SettleRequest);

/** Keyed by workId. A stale result changed nothing, except that a machine it named is adopted or marked for termination. */
export const SettleAnswer = v.object({
	settled: v.record(v.string(), v.object({ state: v.nullable(JobState) })),
	stale: v.record(v.string(), v.object({ reason: Text })),
});
export type SettleAnswer = v.InferOutput<typeof SettleAnswer>;
export const parseSettleAnswer = parserOf(SettleAnswer);
