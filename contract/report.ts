// POST /report: what a machine says of itself. Hints, never authority: a job with sudo can forge them (DESIGN 1).
import * as v from "valibot";
import { Id, InstanceId, parserOf, Text, Time, VersionOne } from "./parse.ts";

export const REPORT_PHASES = ["claimed", "listening", "running", "finished", "denied", "interrupted", "idle", "deprecated", "off"] as const;
export const ReportPhase = v.picklist(REPORT_PHASES);
export type ReportPhase = v.InferOutput<typeof ReportPhase>;

/** Durations in ms and moments in epoch ms, each under its own name, such as `bootMs` or `noticeAt`. */
export const Measurements = v.record(
	v.pipe(v.string(), v.maxLength(64)),
	v.union([v.number(), v.boolean(), v.pipe(v.string(), v.maxLength(512)), v.null()]),
);
export type Measurements = v.InferOutput<typeof Measurements>;

export const Report = v.object({
	version: VersionOne,
	instanceId: InstanceId,
	/** Counts up from 1 on each machine, so that late copies are known. */
	sequence: v.pipe(v.number(), v.integer(), v.minValue(1)),
	phase: ReportPhase,
	at: Time,
	/** The job the machine was launched for; the one it runs may be another (FACTS 1.10). */
	jobId: Id,
	/** `finished`: GitHub's conclusion as the runner's exit code tells it; `denied`, `idle`, `deprecated`, `off`: why. */
	reason: v.optional(v.nullable(Text), null),
	measurements: v.optional(Measurements, {}),
});
export type Report = v.InferOutput<typeof Report>;
export const parseReport = parserOf(Report);

/** The text that a report token signs (DESIGN 3). `expiry` is in unix seconds. */
export function reportTokenText(instanceId: string, expiry: number): string {
	return `${instanceId}.${expiry}`;
}

/** Reads `<instanceId>.<expiry unix seconds>.<hex HMAC-SHA256>`; whether the HMAC holds is for the reader to check. */
export function parseReportToken(token: string): { instanceId: string; expiry: number; mac: string } | null {
	const match = /^(i-[0-9a-f]{8}(?:[0-9a-f]{9})?)\.([1-9][0-9]{9,10})\.([0-9a-f]{64})$/.exec(token);
	return match ? { instanceId: match[1] as string, expiry: Number(match[2]), mac: match[3] as string } : null;
}
