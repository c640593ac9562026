// What a poller does with a thousand queued jobs: leases them, settles the intent, settles the machine. On fresh storage for each part of
// them, because GitHub's limit on JIT calls lets the relay hand out 110 in a minute.
import { median } from "../statistics.ts";
import { type Caller, callerOf, launchedOn } from "./caller.ts";
import { startSubject } from "./subjects.ts";
import { load } from "./throughput.ts";

const PART = 100;
const BATCH = 100;

async function launchAll(caller: Caller): Promise<void> {
	for (let left = PART; left > 0; ) {
		const { work } = await caller.lease(BATCH, 0);
		const items = work.flatMap((item) => (item.kind === "launch" ? [item] : []));
		const members = items.map(({ job }) => job.id);
		const intent = { token: `token-${left}`, members, request: { count: members.length } };
		await caller.settle(items.map(({ workId, leaseId }) => ({ workId, leaseId, outcome: "launching" as const, ...intent })));
		await caller.settle(items.map(({ workId, leaseId, job }) => launchedOn(workId, leaseId, job.id)));
		left -= items.length;
	}
}

async function part(folder: string): Promise<number> {
	const relay = await startSubject("relay", folder);
	try {
		await load([{ port: relay.port, pid: relay.pid, senders: 8, first: 1, count: PART }]);
		const begun = performance.now();
		await launchAll(callerOf(relay.url));
		return performance.now() - begun;
	} finally {
		await relay.stop();
	}
}

/** Milliseconds for a thousand jobs from lease to last settle, the median of the rounds. */
export async function turnover(folder: string, rounds: number, jobs: number, say: (text: string) => void): Promise<number> {
	const all: number[] = [];
	for (let at = 1; at <= rounds; at++) {
		const parts: number[] = [];
		while (parts.length * PART < jobs) parts.push(await part(folder));
		all.push(parts.reduce((sum, milliseconds) => sum + milliseconds, 0));
		say(`lease and settle: round ${at} of ${rounds}`);
	}
	return median(all);
}
