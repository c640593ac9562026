// The jobs that have not ended, in memory: what is due, who sits where. The rows stay the truth; this is what their indexes would tell,
// without a write for each change of a due time. Records are kept as the text that is in their rows: thousands of them as objects would
// keep the garbage collector busy.
import type { JobState } from "../contract/job.ts";
import type { Busy, Whose } from "./caps.ts";
import { isEnded, type Job } from "./job.ts";
import type { Records } from "./records.ts";

export type OpenJobs = ReturnType<typeof createOpenJobs>;

/** What of a job that is due tells whether it is wanted. */
export interface Waiting extends Whose {
	dueAt: number;
	/** It was handed out, and nothing came of that yet. */
	isLeased: boolean;
}

interface Entry {
	id: number;
	state: JobState;
	dueAt: number;
	seat: string | null;
	spare: string | null;
	intent: string | null;
	told: boolean;
	owner: string;
	repository: string;
	isLeased: boolean;
	doc: string;
}

function entryOf({ pointer, state, dueAt, seat, spare, intent, told, lease }: Job, doc: string): Entry {
	const { id, owner, repository } = pointer;
	const places = { seat: seat?.key ?? null, spare: spare?.key ?? null, intent };
	return { id, state, dueAt: dueAt ?? 0, ...places, told, owner, repository, isLeased: lease !== null, doc };
}

/** Holds the open jobs by id, by seat and by spare machine. A record put again replaces the one before; an ended one leaves. */
export function createOpenJobs({ read, forget }: Pick<Records, "read" | "forget">) {
	const byId = new Map<number, Entry>();
	const bySeat = new Map<string, number>();
	const bySpare = new Map<string, number>();
	/** Of each repository, those that have begun; and those that are handed out and have not: both are asked for at each write. */
	const begun = new Map<string, Busy>();
	const leased = new Set<Entry>();

	function count({ state, owner, repository }: Entry, by: 1 | -1): void {
		if (state !== "launching" && state !== "launched" && state !== "running") return;
		const key = `${owner}\n${repository}`;
		const group = begun.get(key);
		const machines = (group?.machines ?? 0) + by;
		if (machines === 0) begun.delete(key);
		else if (group) group.machines = machines;
		else begun.set(key, { owner, repository, machines });
	}
	function leave(index: Map<string, number>, key: string | null, id: number): void {
		if (key !== null && index.get(key) === id) index.delete(key);
	}
	function remove(id: number): void {
		const before = byId.get(id);
		if (!before) return;
		forget(before.doc);
		leave(bySeat, before.seat, id);
		leave(bySpare, before.spare, id);
		byId.delete(id);
		leased.delete(before);
		count(before, -1);
	}
	function get(id: number | undefined): Job | null {
		const entry = byId.get(id ?? 0);
		return entry ? read(entry.doc) : null;
	}

	return {
		put(job: Job, doc: string): void {
			const entry = entryOf(job, doc);
			remove(entry.id);
			if (isEnded(job)) return;
			byId.set(entry.id, entry);
			if (entry.state === "queued" && entry.isLeased) leased.add(entry);
			count(entry, 1);
			if (entry.seat !== null) bySeat.set(entry.seat, entry.id);
			if (entry.spare !== null) bySpare.set(entry.spare, entry.id);
		},
		get size() {
			return byId.size;
		},
		has: (id: number): boolean => byId.has(id),
		get,
		/** Newest first; of some states, or of all. */
		all(...states: JobState[]): Job[] {
			const entries = [...byId.values()].filter(({ state }) => states.length === 0 || states.includes(state));
			return entries.sort((one, other) => other.id - one.id).map(({ doc }) => read(doc));
		},
		seated: (seat: string): Job | null => get(bySeat.get(seat)),
		keeping: (spare: string): Job | null => get(bySpare.get(spare)),
		/** The jobs of a state that are due, the longest overdue first, of those that are wanted. */
		due(state: JobState, now: number, limit: number, isWanted: (entry: Waiting) => boolean = () => true): Job[] {
			if (limit <= 0) return [];
			const due: Entry[] = [];
			for (const entry of byId.values()) if (entry.state === state && entry.dueAt <= now) due.push(entry);
			const first: Job[] = [];
			for (const entry of due.sort((one, other) => one.dueAt - other.dueAt)) {
				if (first.length >= limit) break;
				if (isWanted(entry)) first.push(read(entry.doc));
			}
			return first;
		},
		/** When the next job of one of these states is due, of those that are wanted. */
		nextDue(states: readonly JobState[], isWanted: (entry: Waiting) => boolean = () => true): number | null {
			let next = Number.POSITIVE_INFINITY;
			for (const entry of byId.values()) if (entry.dueAt < next && states.includes(entry.state) && isWanted(entry)) next = entry.dueAt;
			return Number.isFinite(next) ? next : null;
		},
		/** How many of each repository have a machine, or are about to get one: whoever was handed a job may still launch for it when its lease has run out. */
		*busy(): Generator<Busy> {
			yield* begun.values();
			for (const { owner, repository } of leased) yield { owner, repository, machines: 1 };
		},
		counts(): Partial<Record<JobState, number>> {
			const counts: Partial<Record<JobState, number>> = {};
			for (const { state } of byId.values()) counts[state] = (counts[state] ?? 0) + 1;
			return counts;
		},
		/** How many have begun, by the start that was recorded. */
		begun: (): number => [...byId.values()].filter(({ told }) => told).length,
		/** A job whose launch, by the intent of this token, is not settled yet. */
		awaiting(token: string | null): Job | null {
			if (token === null) return null;
			for (const { intent, id } of byId.values()) if (intent === token) return get(id);
			return null;
		},
		/** Tokens of the launches that may still be replayed. */
		intents: (): Set<string | null> => new Set([...byId.values()].map(({ intent }) => intent)),
	};
}
