// Tells the relay what becomes of this machine, in order and numbered from 1. Nothing waits for it and no answer matters (DESIGN 3).
import { createFetch } from "ofetch";
import type { Fetch } from "../aws/imds-reader.ts";
import type { Report } from "../contract/report.ts";
import type { Log } from "./log.ts";

export interface Reporter {
	/** Takes a report; it is sent once those before it are through or given up. */
	send(report: Omit<Report, "version" | "sequence">): void;
	/** Resolves when all that was taken is through or given up. */
	settled(): Promise<void>;
}

/** Before each further try. With the timeouts, a relay that never answers holds one report for half a minute at most. */
const PAUSES_MS = [250, 1000, 3000];
const TIMEOUT_MS = 5000;

/** 429 and the server's own faults pass; what else it refuses it will refuse again. Status 0 is no answer. */
function mayPass(status: number): boolean {
	return status === 0 || status === 408 || status === 429 || status >= 500;
}

export function createReporter(target: { url: string; token: string }, fetch: Fetch, log: Log): Reporter {
	const post = createFetch({ fetch, Headers, AbortController });
	const headers = { authorization: `Bearer ${target.token}` };
	const tryOnce = async (body: Report): Promise<number> => {
		const sent = post.raw(target.url, {
			method: "POST",
			headers,
			body,
			retry: 0,
			timeout: TIMEOUT_MS,
			ignoreResponseError: true,
			responseType: "text",
		});
		return await sent.then(
			({ status }) => status,
			() => 0,
		);
	};
	const deliver = async (body: Report) => {
		let status = await tryOnce(body);
		for (const pause of PAUSES_MS) {
			if (status < 300 && status > 0) return;
			if (!mayPass(status)) break;
			await Bun.sleep(pause);
			status = await tryOnce(body);
		}
		if (status === 0 || status >= 300) log.warn({ phase: body.phase, sequence: body.sequence, status }, "a report was not taken");
	};
	let sequence = 0;
	let queue = Promise.resolve();
	return {
		send(report) {
			sequence += 1;
			const body: Report = { version: 1, ...report, sequence };
			queue = queue.then(() => deliver(body));
		},
		settled: () => queue,
	};
}
