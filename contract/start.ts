// GET /starts: what is remembered of every job start, append-only: which machine it got and where the time went.
import * as v from "valibot";
import { Id, parserOf, Text, Time } from "./parse.ts";
import { Measurements } from "./report.ts";

export const Start = v.object({
	/** When the first step began, as far as the relay knows. */
	at: Time,
	jobId: Id,
	org: Text,
	repository: Text,
	/** Milliseconds from the webhook to the first step. */
	queueMs: Time,
	instanceId: Text,
	/** Null where the launch was not settled before the job had ended. */
	instanceType: v.nullable(Text),
	zone: v.nullable(Text),
	market: v.nullable(Text),
	/** The machine's own word: agent version, architecture, region and its boot timings in milliseconds. */
	measurements: Measurements,
});
export type Start = v.InferOutput<typeof Start>;

/** Newest first. */
export const StartList = v.object({ starts: v.array(Start) });
export type StartList = v.InferOutput<typeof StartList>;
export const parseStartList = parserOf(StartList);
