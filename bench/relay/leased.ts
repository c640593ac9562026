// From a webhook to the lease of a poller that waits for it, beside the webhook's own answer. The linger is off: it is waited on purpose,
// for a burst to come as one batch.

import type { LeaseAnswer } from "../../contract/lease.ts";
import { median, percentile } from "../statistics.ts";
import { type Caller, callerOf } from "./caller.ts";
import { startSubject } from "./subjects.ts";

export interface Leased {
	/** A webhook while nobody waits. */
	webhookP50: number;
	leasedP50: number;
	leasedP99: number;
}

/** Ends what was leased, so that the next lease finds nothing. */
async function refuseAll(caller: Caller, { work }: LeaseAnswer): Promise<void> {
	await caller.settle(work.map(({ workId, leaseId }) => ({ workId, leaseId, outcome: "refused" as const, reason: "bench" })));
}

async function timed(call: () => Promise<unknown>): Promise<number> {
	// Whoever waits does so by then, and both kinds begin at the same pace.
	await Bun.sleep(3);
	const begun = performance.now();
	await call();
	return performance.now() - begun;
}

/** One round of so many webhooks of each kind in turns, one after the other. */
async function round(folder: string, count: number): Promise<Leased> {
	const relay = await startSubject("relay", folder, { CLOCKS: JSON.stringify({ linger: 0 }) });
	try {
		const caller = callerOf(relay.url);
		const webhooks: number[] = [];
		const leases: number[] = [];
		for (let id = 1; id <= 2 * count; id += 2) {
			webhooks.push(await timed(() => caller.webhook(id)));
			await refuseAll(caller, await caller.lease(100, 0));
			const waiting = caller.lease(100, 25);
			let answered = Promise.resolve();
			const leasedAfter = timed(() => {
				answered = caller.webhook(id + 1);
				return waiting;
			});
			leases.push(await leasedAfter);
			await answered;
			await refuseAll(caller, await waiting);
		}
		return { webhookP50: percentile(webhooks, 0.5), leasedP50: percentile(leases, 0.5), leasedP99: percentile(leases, 0.99) };
	} finally {
		await relay.stop();
	}
}

/** The median of each figure over the rounds. */
export async function leased(folder: string, rounds: number, count: number, say: (text: string) => void): Promise<Leased> {
	const all: Leased[] = [];
	for (let at = 1; at <= rounds; at++) {
		all.push(await round(folder, count));
		say(`webhook to lease: round ${at} of ${rounds}`);
	}
	const of = (figure: keyof Leased) => median(all.map((it) => it[figure]));
	return { webhookP50: of("webhookP50"), leasedP50: of("leasedP50"), leasedP99: of("leasedP99") };
}
