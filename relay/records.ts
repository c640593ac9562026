// The newest records as objects, by the text that is in their rows: one call reads the same record again and again. Bounded, since
// thousands of them would keep the garbage collector busy.
import type { Job } from "./job.ts";

/** As many are kept as this, and as many before them. */
const KEPT = 500;

export type Records = ReturnType<typeof createRecords>;

export function createRecords() {
	let young = new Map<string, Job>();
	let old = new Map<string, Job>();
	function keep(doc: string, job: Job): Job {
		if (young.size >= KEPT) [young, old] = [new Map(), young];
		young.set(doc, job);
		return job;
	}
	const known = (doc: string): Job | null => young.get(doc) ?? old.get(doc) ?? null;
	return {
		keep,
		/** Gives what was kept, and keeps what was not. Records are never changed in place. */
		read: (doc: string): Job => young.get(doc) ?? keep(doc, old.get(doc) ?? (JSON.parse(doc) as Job)),
		/** The same for many that are looked over once: none of them takes the place of another. */
		glance: (doc: string): Job => known(doc) ?? (JSON.parse(doc) as Job),
		/** A text that is in no row any more. */
		forget(doc: string): void {
			young.delete(doc);
			old.delete(doc);
		},
	};
}
