// Anything that can be said to the relay, in any order: no world behind it that would make sense of it.
import fc from "fast-check";
import { REPORT_PHASES } from "../../../contract/report.ts";

export const JOBS = 3;
export const MACHINES = 6;

const job = fc.integer({ min: 1, max: JOBS });
const machine = fc.integer({ min: 1, max: MACHINES });
/** Which of those that there are, by its place. */
const place = fc.nat(1000);
const milliseconds = fc.oneof(fc.nat(20_000), fc.nat(400_000), fc.nat(8 * 3_600_000));
/** A runner of ours on a machine, somebody else's, or none. */
const runner = fc.oneof(machine, fc.constant("elsewhere" as const), fc.constant(null));
/** Mostly that a job is queued: what ends jobs comes seldom, or nothing else would be seen. */
const status = fc.constantFrom(...Array<"queued">(12).fill("queued"), "in_progress", "completed", "waiting", "requested", "pending");

const rarely = fc.nat(4).map((n) => n === 0);

export const step = fc.oneof(
	{
		weight: 5,
		arbitrary: fc.record({
			kind: fc.constant("hear" as const),
			job,
			action: fc.constantFrom(...Array<"queued">(8).fill("queued"), "in_progress", "in_progress", "completed", "waiting"),
			status: fc.option(status, { nil: null, freq: 2 }),
			runner,
			conclusion: fc.constantFrom("success", "failure", "cancelled", null),
		}),
	},
	{ weight: 2, arbitrary: fc.record({ kind: fc.constant("again" as const), letter: place }) },
	{ weight: 8, arbitrary: fc.record({ kind: fc.constant("lease" as const), max: fc.integer({ min: 1, max: 5 }) }) },
	{
		weight: 10,
		arbitrary: fc.record({
			kind: fc.constant("settle" as const),
			/** Of all the items ever handed out; the newest first, for those can still be settled. */
			item: fc.oneof({ weight: 4, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: place }),
			outcome: fc.constantFrom(
				...(["launching", "launching", "launched", "launched", "extend", "later", "later", "refused", "notQueued", "gone"] as const),
				...(["failed", "failed", "terminated", "kept", "reran"] as const),
			),
			machine,
			class: fc.constantFrom("capacity", "throttled", "quota", "budget", "unknown"),
			delay: milliseconds,
			status,
			runner,
			/** Whether an intent names another token than the one that was written before. */
			isOther: fc.boolean(),
		}),
	},
	{
		weight: 3,
		arbitrary: fc.record({
			kind: fc.constant("report" as const),
			machine,
			phase: fc.constantFrom(...REPORT_PHASES),
			sequence: fc.integer({ min: 1, max: 9 }),
			job,
		}),
	},
	{
		weight: 2,
		arbitrary: fc.record({
			kind: fc.constant("observe" as const),
			jobs: fc.array(fc.record({ job, status, runner }), { maxLength: 2 }),
			runs: fc.array(fc.constantFrom("completed", "in_progress"), { maxLength: 1 }),
			machines: fc.array(fc.record({ machine, isAlive: fc.boolean(), isTaken: fc.boolean(), age: milliseconds }), { maxLength: 3 }),
			complete: fc.boolean(),
		}),
	},
	{
		weight: 1,
		arbitrary: fc.record({ kind: fc.constant("turn" as const), pause: rarely, drain: rarely }),
	},
	{ weight: 8, arbitrary: fc.record({ kind: fc.constant("wait" as const), milliseconds }) },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const) }) },
);
type Generated<A> = A extends fc.Arbitrary<infer T> ? T : never;
export type Step = Generated<typeof step>;
export type Said<K extends Step["kind"]> = Extract<Step, { kind: K }>;

/** A few hundred things said one after the other. */
export const script = fc.array(step, { maxLength: 160, size: "max" });
