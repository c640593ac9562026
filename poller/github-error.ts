// What goes wrong with GitHub, and when to ask again. Pure.
import type { LaterClass } from "../contract/settle.ts";

/** A call that GitHub did not answer as expected; `retryAt` (epoch ms) is GitHub's own word on when to come back. */
export class GitHubError extends Error {
	constructor(
		operation: string,
		readonly status: number | null,
		said: string,
		readonly retryAt: number | null,
		cause?: unknown,
	) {
		super(`${operation}: ${status ?? "no answer"} ${said.slice(0, 300)}`.trim(), { cause });
		this.name = "GitHubError";
	}
	/** Rate limits, failures of GitHub itself and of the network pass; refusals stay. */
	get retryable(): boolean {
		return this.status === null || this.status >= 500 || this.status === 429 || this.retryAt !== null;
	}
}

/** A secondary limit that names no moment: GitHub asks for at least a minute (docs: rate limits for the REST API). */
const UNNAMED_PAUSE_MS = 60_000;

/** When a refused call may be repeated, from the answer's headers; null if it was no matter of limits (FACTS 2.8). */
export function retryMoment(status: number, headers: Record<string, unknown>, message: string, now: number): number | null {
	if (status !== 403 && status !== 429) return null;
	const named = namedMoment(String(headers["retry-after"] ?? "").trim(), now);
	if (named !== null) return Math.max(now, named);
	const reset = Number(headers["x-ratelimit-reset"] ?? Number.NaN);
	if (String(headers["x-ratelimit-remaining"]) === "0" && Number.isFinite(reset)) return Math.max(now, reset * 1000);
	return status === 429 || /rate limit/i.test(message) ? now + UNNAMED_PAUSE_MS : null;
}

/** A retry-after is seconds or a date (RFC 9110, 10.2.3); null if it is neither, or empty. */
function namedMoment(text: string, now: number): number | null {
	const moment = / GMT$/.test(text) ? Date.parse(text) : now + Math.ceil(Number(text || Number.NaN) * 1000);
	return Number.isFinite(moment) ? moment : null;
}

const SOON_MS = 15_000;
/** A refusal stays until someone mends it: ten of these and the job is given up. */
const REFUSED_MS = 5 * 60_000;

/** When to look again after a failure, for the ledger. */
export function laterAfter(error: GitHubError, now: number): { notBefore: number; class: LaterClass; reason: string } {
	const reason = error.message;
	if (error.retryAt !== null) return { notBefore: error.retryAt, class: "throttled", reason };
	return error.retryable
		? { notBefore: now + SOON_MS, class: "throttled", reason }
		: { notBefore: now + REFUSED_MS, class: "unknown", reason };
}
