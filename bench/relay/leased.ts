// From a webhook to the lease of a poller that waits for it, beside the webhook's own answer. The linger is set to its least and taken
// off: it is waited on purpose, for a burst to come as one batch.
import { median, percentile } from "../statistics.ts";
import { callerOf } from "./caller.ts";
import { startSubject } from "./subjects.ts";

const LINGER = 1;

export interface Leased {
	webhookP50: number;
	leasedP50: number;
	leasedP99: number;
}

/** One round of so many webhooks, one after the other. */
async function round(folder: string, count: number): Promise<Leased> {
	const relay = await startSubject("relay", folder, { CLOCKS: JSON.stringify({ linger: LINGER }) });
	try {
		const caller = callerOf(relay.url);
		const webhooks: number[] = [];
		const leases: number[] = [];
		for (let id = 1; id <= count; id++) {
			const waiting = caller.lease(100, 25);
			// The poller waits by then.
			await Bun.sleep(3);
			const sentAt = performance.now();
			const answered = caller.webhook(id).then(() => webhooks.push(performance.now() - sentAt));
			const { work } = await waiting;
			leases.push(performance.now() - sentAt - LINGER);
			await answered;
			const results = work.map(({ workId, leaseId }) => ({ workId, leaseId, outcome: "refused" as const, reason: "bench" }));
			await caller.settle(results);
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
