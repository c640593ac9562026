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

/** So many machines of one repository. */
export interface Busy extends Whose {
	machines: number;
}

/** What room is left beside those that have machines, or are about to. Without caps nobody is counted. */
export function createRoom(busy: () => Iterable<Busy>, caps: Caps): Room {
	const counts = new Map<string, number>();
	const count = (name: string) => counts.get(name) ?? 0;
	const add = ({ owner, repository }: Whose, machines: number) => {
		for (const name of [owner.toLowerCase(), repository.toLowerCase()]) counts.set(name, count(name) + machines);
	};
	// Mostly nobody asks, and then nobody need be counted.
	let isCounted = Object.keys(caps).length === 0;
	const countAll = () => {
		if (isCounted) return;
		isCounted = true;
		for (const group of busy()) add(group, group.machines);
	};
	const whyOver = (name: string, most: number | null) =>
		most !== null && count(name.toLowerCase()) >= most ? `${name} has as many machines as it may have at a time: ${most}` : null;
	return {
		whyFull({ owner, repository }) {
			countAll();
			const { machines = null, perRepository = null } = caps[owner.toLowerCase()] ?? {};
			return whyOver(owner, machines) ?? whyOver(repository, perRepository);
		},
		take(job) {
			countAll();
			add(job, 1);
		},
	};
}
