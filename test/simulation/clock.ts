// Time that passes only when everybody waits: a heap of calls to come. Calls of one moment come in the order in which they were asked for.

export interface Clock {
	now(): number;
	/** Calls once after so many ms; what it gives takes the call back. */
	after(ms: number, call: () => void): () => void;
	sleep(ms: number): Promise<void>;
	/** Lets time pass until a moment, one call after the other; `each` is told after every one. */
	run(until: number, each: () => void): Promise<void>;
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
	const swap = (one: number, other: number) => {
		[entries[one], entries[other]] = [at(other), at(one)];
	};
	return {
		first: (): Entry | undefined => entries[0],
		add(entry: Entry): void {
			let index = entries.push(entry) - 1;
			for (let parent = (index - 1) >> 1; index > 0 && isBefore(at(index), at(parent)); parent = (index - 1) >> 1) {
				swap(index, parent);
				index = parent;
			}
		},
		removeFirst(): void {
			const last = entries.pop() as Entry;
			if (entries.length === 0) return;
			entries[0] = last;
			for (let index = 0; ; ) {
				const [left, right] = [2 * index + 1, 2 * index + 2];
				let least = index;
				if (left < entries.length && isBefore(at(left), at(least))) least = left;
				if (right < entries.length && isBefore(at(right), at(least))) least = right;
				if (least === index) return;
				swap(index, least);
				index = least;
			}
		},
	};
}

/** Everything that follows from a call without time passing has happened after this. */
const settled = () => new Promise<void>((resolve) => void setImmediate(resolve));

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
		async run(until, each) {
			await settled();
			for (let next = heap.first(); next && next.at <= until; next = heap.first()) {
				heap.removeFirst();
				if (!next.call) continue;
				now = Math.max(now, next.at);
				next.call();
				await settled();
				each();
			}
			now = Math.max(now, until);
		},
	};
}
