// How many machines an owner and each of its repositories may have at a time (DESIGN 4). The operator's file is the poller's, so the caps
// come with each lease. Pure.
import type { LeaseRequest } from "../contract/lease.ts";

export type Caps = LeaseRequest["caps"];

/** Whose a job is, in any case. */
export interface Whose {
	owner: string;
	repository: string;
}
export interface Room {
	/** Why a job must wait for another's machine to end; null if there is room. */
	whyFull(job: Whose): string | null;
	/** Counts one more machine. */
	take(job: Whose): void;
}

/** What room is left beside those that have machines, or are about to. Without caps nobody is counted. */
export function createRoom(busy: () => Iterable<Whose>, caps: Caps): Room {
	const counts = new Map<string, number>();
	const count = (name: string) => counts.get(name) ?? 0;
	const add = ({ owner, repository }: Whose) => {
		for (const name of [owner.toLowerCase(), repository.toLowerCase()]) counts.set(name, count(name) + 1);
	};
	// Mostly nobody asks, and then nobody need be counted.
	let isCounted = Object.keys(caps).length === 0;
	const countAll = () => {
		if (isCounted) return;
		isCounted = true;
		for (const job of busy()) add(job);
	};
	return {
		whyFull({ owner, repository }) {
			countAll();
			const cap = caps[owner.toLowerCase()];
			const full = [
				[owner, cap?.machines ?? null],
				[repository, cap?.perRepository ?? null],
			] as const;
			const [name, most] = full.find(([of, limit]) => limit !== null && count(of.toLowerCase()) >= limit) ?? [];
			return name === undefined ? null : `${name} has as many machines as it may have at a time: ${most}`;
		},
		take(job) {
			countAll();
			add(job);
		},
	};
}
