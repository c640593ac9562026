// What can be made to go wrong at the EC2 stand-in. Plain data that tests change while it runs.
import type { Shortage } from "./allocate.ts";

export type Phase = "received" | "applied" | "answered";

export interface Call {
	action: string;
	/** The form body, without Action and Version. */
	parameters: Record<string, string>;
	at: number;
}

export interface Faults {
	/** Pools that run short: an error inside a successful answer. */
	shortages: Shortage[];
	/** How many of the next calls of an action are refused with RequestLimitExceeded (HTTP 503). */
	throttled: Record<string, number>;
	/** How many of the next calls of an action take effect and are then answered with InternalError (HTTP 500). */
	lost: Record<string, number>;
	/** How long an action takes to answer, after it took effect; milliseconds. */
	latencyMs: Record<string, number>;
	/** How many of the next instances run but never start their agent. */
	deadBoots: number;
	/** New instances are unknown to calls that name or list them for this long; milliseconds. */
	consistencyDelayMs: number;
	/** Told of every signed call before it takes effect, after that and before the answer, and once it was answered; awaited. */
	onCall: (call: Call, phase: Phase) => void | Promise<void>;
}

export function noFaults(): Faults {
	return { shortages: [], throttled: {}, lost: {}, latencyMs: {}, deadBoots: 0, consistencyDelayMs: 0, onCall: () => {} };
}

/** Counts one down; false once it is used up. */
export function takeOne(counts: Record<string, number>, name: string): boolean {
	const left = counts[name] ?? 0;
	if (left > 0) counts[name] = left - 1;
	return left > 0;
}
