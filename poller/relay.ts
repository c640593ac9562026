// The relay as the poller speaks to it: answers are parsed with the contract. Touches the network.
import { parseLeaseAnswer } from "../contract/lease.ts";
import { parseObserveAnswer } from "../contract/observe.ts";
import type { Parsed } from "../contract/parse.ts";
import { parseSettleAnswer } from "../contract/settle.ts";
import type { Relay } from "./ports.ts";

/** A call that the relay did not answer as the contract says. */
export class RelayError extends Error {
	constructor(
		call: string,
		readonly status: number | null,
		said: string,
		cause?: unknown,
	) {
		super(`POST ${call}: ${status ?? "no answer"} ${said.slice(0, 300)}`.trim(), { cause });
		this.name = "RelayError";
	}
	/** 401 and 400 stay what they are; all else may pass. */
	get retryable(): boolean {
		return this.status === null || this.status >= 500 || this.status === 429;
	}
}

export interface RelayOptions {
	url: string;
	token: string;
	fetch: typeof fetch;
	sleep(ms: number): Promise<void>;
}

const TIMEOUT_MS = 10_000;
/** Short enough for a lease of 10 s to be still ours; a longer silence is repaired by the next lease. */
const PAUSES_MS = [100, 300, 1000];

/** A client of the relay. Throws RelayError, after some repetitions where the failure may pass: every call may be made twice. */
export function createRelay(options: RelayOptions): Relay {
	const patient = async <T>(call: string, body: object, parse: Parse<T>, timeoutMs = TIMEOUT_MS): Promise<T> => {
		for (const pause of PAUSES_MS) {
			try {
				return await post(options, call, body, parse, timeoutMs);
			} catch (error) {
				if (!(error instanceof RelayError && error.retryable)) throw error;
				await options.sleep(pause);
			}
		}
		return post(options, call, body, parse, timeoutMs);
	};
	return {
		/** Repeats with the same request id, so that work handed out in a lost answer is handed out again. */
		lease: (request) => patient("/lease", request, parseLeaseAnswer, request.waitSeconds * 1000 + TIMEOUT_MS),
		settle: (results) => patient("/settle", { results }, parseSettleAnswer),
		observe: (facts) => patient("/observe", facts, parseObserveAnswer),
	};
}

type Parse<T> = (input: unknown) => Parsed<T>;

async function post<T>({ url, token, fetch }: RelayOptions, call: string, body: object, parse: Parse<T>, timeoutMs: number): Promise<T> {
	const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
	const sent = { method: "POST", headers, body: JSON.stringify(body), signal: AbortSignal.timeout(timeoutMs) };
	const unanswered = (error: unknown): never => {
		throw new RelayError(call, null, String(error), error);
	};
	const answer = await fetch(`${url}${call}`, sent).catch(unanswered);
	const text = await answer.text().catch(unanswered);
	if (answer.status !== 200) throw new RelayError(call, answer.status, text);
	const parsed = parse(readJson(text));
	if (!parsed.ok) throw new RelayError(call, 200, parsed.reason);
	return parsed.value;
}

function readJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
