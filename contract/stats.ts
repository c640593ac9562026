// GET /stats: live counters, public if the operator says so.
import * as v from "valibot";
import { parserOf, Time } from "./parse.ts";

const Count = v.pipe(v.number(), v.integer(), v.minValue(0));

export const Stats = v.object({
	at: Time,
	/** Jobs that ran to an end on our machines, ever. */
	executed: Count,
	running: Count,
	/** waiting, queued, launching and launched together. */
	queued: Count,
	/** From webhook to the first step, over the last 1,000 jobs; null without any. */
	queueTimeMs: v.object({ p50: v.nullable(Time), p95: v.nullable(Time) }),
	/** Signed deliveries taken, and those of them seen before. */
	deliveries: Count,
	duplicates: Count,
	/** Until then no spot machines are asked for, since EC2 took several back. */
	spotPausedUntil: v.optional(v.nullable(Time), null),
	/** Rows written since the relay's object last started, index entries and alarms counted: Cloudflare's free plan has 100,000 a day. */
	rowsWritten: v.optional(Count, 0),
});
export type Stats = v.InferOutput<typeof Stats>;
export const parseStats = parserOf(Stats);
