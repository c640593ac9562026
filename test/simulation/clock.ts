// Time that passes only when everybody waits: a heap of calls to come. Calls of one moment come in the order in which they were asked for.
import { drainMicrotasks } from "bun:jsc";

export interface Clock {
	now(): number;
	/** Calls once after so many ms; what it gives takes the call back. */
	after(ms: number, call: () => void): () => void;
	sleep(ms: number): Promise<void>;
	/** Lets time pass until a moment, one call after the other; `each` is told after every one. */
	run(until: number, each: () => void): void;
}

interface Entry {
	at: number;
	order: number;
	call: (() => void) | null;
}

const isBefore = (one: Entry, other: Entry) => one.at < other.at || (one.at === other.at && one.order < other.order);

function createHeap() {
	const entries: Entry[] = [];
	const at = (index: number) => entries[index] as Entry;
	return {
		first: (): Entry | undefined => entries[0],
		add(entry: Entry): void {
			let index = entries.push(entry) - 1;
			for (let parent = (index - 1) >> 1; index > 0 && isBefore(entry, at(parent)); parent = (index - 1) >> 1) {
				entries[index] = at(parent);
				index = parent;
			}
			entries[index] = entry;
		},
		removeFirst(): void {
			const last = entries.pop() as Entry;
			if (entries.length === 0) return;
			let index = 0;
			for (let least = 1; least < entries.length; least = 2 * index + 1) {
				if (least + 1 < entries.length && isBefore(at(least + 1), at(least))) least += 1;
				if (!isBefore(at(least), last)) break;
				entries[index] = at(least);
				index = least;
			}
			entries[index] = last;
		},
	};
}

export function createClock(start: number): Clock {
	const heap = createHeap();
	let now = start;
	let order = 0;
	const after: Clock["after"] = (ms, call) => {
		const entry: Entry = { at: now + Math.max(0, Math.ceil(ms)), order: order++, call };
		heap.add(entry);
		return () => {
			entry.call = null;
		};
	};
	return {
		now: () => now,
		after,
		sleep: (ms) => new Promise((resolve) => void after(ms, resolve)),
		run(until, each) {
			// Everything that follows from a call without time passing has happened when no microtask is left.
			drainMicrotasks();
			for (let next = heap.first(); next && next.at <= until; next = heap.first()) {
				heap.removeFirst();
				if (!next.call) continue;
				now = Math.max(now, next.at);
				next.call();
				drainMicrotasks();
				each();
			}
			now = Math.max(now, until);
		},
	};
}
