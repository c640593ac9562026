// The newest leases: what was handed out to whom, so that a lost answer is given again, and what was left of the budgets.
import { type Minute, refund, spentLater } from "./budgets.ts";
import type { OpenJobs } from "./open-jobs.ts";
import type { Budgets, Counters, Leased, SettingRows } from "./setting-rows.ts";

/** The answers of this many leases are kept, each row written over in its turn. */
const SLOTS = 16;
const ALL_DELIVERIES = 10_000;
/** In characters, of up to three bytes: a row holds 2 MB (FACTS 5.1). */
const LONGEST_ROW = 600_000;

/** Labels of every job at their longest make more than a row may hold; such an answer is remembered in memory alone. */
function rowOf(lease: Leased): Leased {
	if (JSON.stringify(lease).length <= LONGEST_ROW) return lease;
	return { ...lease, request: "", answer: { ...lease.answer, work: [] }, tokens: [] };
}

/** The newest leases with the budgets and counters as of them. What was counted after the newest is in memory, and counted again from the open jobs. */
export function leaseRows({ setting, saveSetting }: SettingRows, open: OpenJobs) {
	const leases = Array.from({ length: SLOTS }, (_, slot) => setting(`lease-${slot}`));
	let last = leases.reduce((newest, lease, slot) => ((lease?.at ?? 0) > (leases[newest]?.at ?? 0) ? slot : newest), 0);
	const newest = leases[last];
	const later = open.all().filter(({ receivedAt }) => receivedAt > (newest?.at ?? 0));
	const counters: Counters = { deliveries: 0, duplicates: 0, ...newest?.counters };
	counters.deliveries += later.reduce((sum, { deliveries }) => sum + deliveries.length, 0);
	let budgets = newest?.budgets ?? null;
	const recent = new Set<string>();
	const put = (slot: number, lease: Leased): void => {
		leases[slot] = lease;
		saveSetting(`lease-${slot}`, rowOf(lease));
	};
	return {
		counters,
		budgets: (): Budgets | null => budgets,
		/** What became of a JIT call that a lease paid for, if it was made or will not be. Kept with the next lease; a restart before that forgets it. */
		accountFor(isMade: boolean, now: number): void {
			if (budgets) budgets = { ...budgets, jit: isMade ? spentLater(budgets.jit, now) : refund(budgets.jit, 1) };
		},
		lastLeaseAt: (): number => leases[last]?.at ?? 0,
		/** What was handed out to a request after a moment. */
		leased: (request: string, after: number): Leased | null =>
			leases.find((lease) => lease?.request === request && lease.at > after) ?? null,
		saveLeased(lease: Omit<Leased, "counters">): void {
			// Later than the one before, even within a millisecond: a restart knows the newest by it.
			const at = Math.max(lease.at, (leases[last]?.at ?? 0) + 1);
			last = (last + 1) % SLOTS;
			budgets = lease.budgets;
			put(last, { ...lease, at, counters: { ...counters } });
		},
		/** After the clock was set back: the leases become as old as they were, so that budgets refill, answers age and the newest stays the newest. */
		setLeasesBack(by: number, now: number): void {
			if ((leases[last]?.at ?? 0) <= now) return;
			for (const [slot, lease] of leases.entries()) {
				if (!lease) continue;
				const { jit, ec2 } = lease.budgets;
				const before = { jit: jit.map(([at, count]): Minute[number] => [at - by, count]), ec2: { ...ec2, at: ec2.at - by } };
				put(slot, { ...lease, at: lease.at - by, budgets: before });
			}
			budgets = leases[last]?.budgets ?? null;
		},
		/** Whether a delivery was among the newest of all. Each job remembers its own for as long as it is kept. */
		isRecent: (delivery: string): boolean => recent.has(delivery),
		remember(delivery: string): void {
			if (recent.size >= ALL_DELIVERIES) recent.clear();
			recent.add(delivery);
		},
	};
}
