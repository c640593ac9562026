// The jobs that have not ended, in memory: what is due, who sits where. The rows stay the truth; this is what their indexes would tell,
// without a write for each change of a due time.
import type { JobState } from "../contract/job.ts";
import { isEnded, type Job } from "./job.ts";

export type OpenJobs = ReturnType<typeof createOpenJobs>;

/** Holds the open jobs by id, by seat and by spare machine. A record put again replaces the one before; an ended one leaves. */
export function createOpenJobs(jobs: readonly Job[]) {
	const byId = new Map<number, Job>();
	const bySeat = new Map<string, number>();
	const bySpare = new Map<string, number>();

	function leave(index: Map<string, number>, key: string | undefined, id: number): void {
		if (key !== undefined && index.get(key) === id) index.delete(key);
	}
	function remove(id: number): void {
		const before = byId.get(id);
		leave(bySeat, before?.seat?.key, id);
		leave(bySpare, before?.spare?.key, id);
		byId.delete(id);
	}
	function put(job: Job): void {
		const { id } = job.pointer;
		remove(id);
		if (isEnded(job)) return;
		byId.set(id, job);
		if (job.seat) bySeat.set(job.seat.key, id);
		if (job.spare) bySpare.set(job.spare.key, id);
	}
	const found = (id: number | undefined): Job | null => byId.get(id ?? 0) ?? null;
	for (const job of jobs) put(job);

	return {
		put,
		get size() {
			return byId.size;
		},
		get: (id: number): Job | null => found(id),
		/** Newest first. */
		all: (): Job[] => [...byId.values()].sort((one, other) => other.pointer.id - one.pointer.id),
		seated: (seat: string): Job | null => found(bySeat.get(seat)),
		keeping: (spare: string): Job | null => found(bySpare.get(spare)),
		/** The jobs of a state that are due, the longest overdue first. */
		due(state: JobState, now: number, limit: number): Job[] {
			const due: Job[] = [];
			for (const job of byId.values()) if (job.state === state && job.dueAt !== null && job.dueAt <= now) due.push(job);
			return due.sort((one, other) => Number(one.dueAt) - Number(other.dueAt)).slice(0, Math.max(0, limit));
		},
		/** When the next job of one of these states is due. */
		nextDue(states: readonly JobState[]): number | null {
			let next: number | null = null;
			for (const { state, dueAt } of byId.values()) {
				if (dueAt !== null && (next === null || dueAt < next) && states.includes(state)) next = dueAt;
			}
			return next;
		},
		counts(): Partial<Record<JobState, number>> {
			const counts: Partial<Record<JobState, number>> = {};
			for (const { state } of byId.values()) counts[state] = (counts[state] ?? 0) + 1;
			return counts;
		},
	};
}
