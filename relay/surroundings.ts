// What the routes are handed, and how a request is refused. Pure.
import type { Context } from "hono";
import type { JobDetail, JobList, JobState } from "../contract/job.ts";
import type { LeaseAnswer, LeaseRequest } from "../contract/lease.ts";
import type { ObserveAnswer, ObserveRequest } from "../contract/observe.ts";
import type { Report } from "../contract/report.ts";
import type { SettleAnswer, SettleRequest } from "../contract/settle.ts";
import type { StartList } from "../contract/start.ts";
import type { Stats } from "../contract/stats.ts";
import type { SwitchChange, Switches } from "../contract/switches.ts";
import type { RelayConfig } from "./config.ts";
import { mayCall, PERIOD_SECONDS, type RateLimits } from "./rate-limits.ts";
import type { Receipt } from "./receive.ts";

/** What is asked of the queue. */
export interface QueueCalls {
	/** Takes a `Delivery` as JSON: text crosses into the object at a fraction of a record's cost. */
	receive(delivery: string): Promise<Receipt>;
	lease(request: LeaseRequest): Promise<LeaseAnswer>;
	settle(request: SettleRequest): Promise<SettleAnswer>;
	observe(request: ObserveRequest): Promise<ObserveAnswer>;
	report(report: Report): Promise<boolean>;
	jobs(state: JobState | null, limit: number): Promise<JobList>;
	starts(limit: number): Promise<StartList>;
	job(id: number): Promise<JobDetail | null>;
	stats(): Promise<Stats>;
	switches(): Promise<Switches>;
	turn(change: SwitchChange): Promise<Switches>;
}

export interface Surroundings {
	/** A connection for one call: one that failed is not used again. */
	queue: () => QueueCalls;
	now: () => number;
	log: (record: Record<string, unknown>) => void;
	limits: RateLimits;
	version: string;
}
export interface Served extends Surroundings {
	config: RelayConfig;
}

const WORDS = {
	400: "bad request",
	401: "unauthorized",
	404: "not found",
	405: "method not allowed",
	408: "timed out",
	413: "too large",
	415: "unsupported media type",
	429: "too many requests",
	500: "internal error",
	503: "unavailable",
};

/** A refusal: a word for programs, a sentence for people (contract/job.ts). */
export function refuse(c: Context, status: keyof typeof WORDS, reason: string): Response {
	return c.json({ error: WORDS[status], reason }, status);
}

/** Told to whoever calls more often than one caller may. */
export function slowDown(c: Context, reason: string): Response {
	c.header("retry-after", String(PERIOD_SECONDS));
	return refuse(c, 429, reason);
}

/** Where a call comes from; only Cloudflare can say. */
export function addressOf(c: Context): string | undefined {
	return c.req.header("cf-connecting-ip");
}

/** Refuses a call without a valid credential, and counts it: whoever guesses is soon told to wait. */
export async function refuseStranger(c: Context, { limits }: Surroundings, reason: string): Promise<Response> {
	return (await mayCall(limits.refused, addressOf(c))) ? refuse(c, 401, reason) : slowDown(c, "too many calls without a valid credential");
}

/** Thrown for a queue that did not answer: nothing was acknowledged, so whoever asked may ask again. */
export class QueueError extends Error {
	constructor(call: string, cause: unknown) {
		super(`the queue failed at ${call}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
		this.name = "QueueError";
	}
}

/** Whether Cloudflare says that the call may be made again: a deploy or a move reset the object. An overloaded one is left alone. */
function isPassing(error: unknown): boolean {
	const { retryable, overloaded } = (error ?? {}) as { retryable?: unknown; overloaded?: unknown };
	return retryable === true && overloaded !== true;
}

/**
 * Calls the queue; any failure of it becomes a QueueError. One that passes is answered by a second call on a fresh connection, so that
 * a deploy costs no delivery: the runtime repeats only what never began, but whatever is asked of the queue may be asked twice.
 * https://developers.cloudflare.com/durable-objects/best-practices/error-handling/
 */
export async function ask<T>(served: Surroundings, name: string, call: (queue: QueueCalls) => Promise<T>, tries = 2): Promise<T> {
	try {
		return await call(served.queue());
	} catch (error) {
		if (tries === 1 || !isPassing(error)) throw new QueueError(name, error);
		served.log({ at: "again", call: name, error: error instanceof Error ? error.message : String(error) });
		return ask(served, name, call, tries - 1);
	}
}
