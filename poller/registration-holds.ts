// While GitHub registers no runners of an owner, its launches are put off: their machines would wait in vain (DESIGN 5). One launch now and
// then finds out whether it does again.
import type { LaunchItem } from "../contract/lease.ts";

export interface Hold {
	/** When it was first seen that nothing is registered. */
	since: number;
	/** No launch before that; the first one after it finds out. */
	until: number;
	/** GitHub's own words. */
	reason: string;
}

const SHORTEST_MS = 15_000;
/** After a failure of hours, jobs still launch within minutes. */
const LONGEST_MS = 3 * 60_000;
/** A launch knows within this whether it registers: its machine waits for a minute. */
const FINDS_OUT_MS = 75_000;

/** The hold after a registration came to nothing; the longer nothing is registered, the less often it is tried. Pure. */
export function heldOn(before: Hold | null, { reason, retryAt }: { reason: string; retryAt: number | null }, now: number): Hold {
	const since = before?.since ?? now;
	const pause = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, Math.ceil((now - since) / 4)));
	return { since, until: Math.max(before?.until ?? 0, now + pause, retryAt ?? 0), reason };
}

type Asked = Pick<LaunchItem, "awaits" | "receivedAt"> & { job: Pick<LaunchItem["job"], "owner"> };

export interface RegistrationHolds {
	/** Until when a launch that has not begun must wait, and why; null: it may be made. */
	whyHeld(item: Asked): { notBefore: number; reason: string } | null;
	/** GitHub registered none for a machine; gives the moment to try again at. */
	failed(owner: string, failure: { reason: string; retryAt: number | null }): number;
	made(owner: string): void;
}

/** The holds of one session, by owner. What an earlier session knew is in the items that it put off. */
export function createRegistrationHolds(now: () => number): RegistrationHolds {
	/** Null: runners of that owner are registered. */
	const holds = new Map<string, Hold | null>();
	const keyOf = (owner: string) => owner.toLowerCase();
	const holdFor = ({ job, awaits, receivedAt }: Asked): Hold | null => {
		const known = holds.get(keyOf(job.owner));
		if (known !== undefined || awaits === undefined) return known ?? null;
		return { since: receivedAt, until: 0, reason: awaits.reason };
	};
	return {
		whyHeld(item) {
			const hold = holdFor(item);
			if (!hold) return null;
			if (now() < hold.until) return { notBefore: hold.until, reason: hold.reason };
			holds.set(keyOf(item.job.owner), { ...hold, until: now() + FINDS_OUT_MS });
			return null;
		},
		failed(owner, failure) {
			const hold = heldOn(holds.get(keyOf(owner)) ?? null, failure, now());
			holds.set(keyOf(owner), hold);
			return hold.until;
		},
		made: (owner) => void holds.set(keyOf(owner), null),
	};
}
