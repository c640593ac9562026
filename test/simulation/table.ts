// One table in a map, with an order of its keys, and a journal by which a change that threw is undone.

/** What undoes the writes of the transactions under way, the newest last. */
export interface Journal {
	/** Notes how to undo a write; outside a transaction nothing is ever undone. */
	note(undo: () => void): void;
	/** Runs a change; one that throws leaves nothing behind. A change within a change is undone alone. */
	transact<T>(change: () => T): T;
}

export function createJournal(): Journal {
	const undos: (() => void)[] = [];
	let depth = 0;
	return {
		note(undo) {
			if (depth > 0) undos.push(undo);
		},
		transact(change) {
			const begun = undos.length;
			depth += 1;
			try {
				return change();
			} catch (error) {
				while (undos.length > begun) undos.pop()?.();
				throw error;
			} finally {
				depth -= 1;
				if (depth === 0) undos.length = 0;
			}
		},
	};
}

export type Table<K extends string | number, R> = ReturnType<typeof createTable<K, R>>;

/** Rows by key, never changed in place. `moved` is told of every row that came, changed or went, also when it is undone. */
export function createTable<K extends string | number, R>(
	journal: Journal,
	moved: (key: K, before: R | undefined, after: R | undefined) => void = () => undefined,
) {
	const rows = new Map<K, R>();
	let sorted: K[] | null = null;
	/** A key that came or went: most that come are the greatest. */
	function sort(key: K, isNew: boolean): void {
		const last = sorted?.at(-1);
		if (sorted && isNew && (last === undefined || key > last)) sorted.push(key);
		else sorted = null;
	}
	function set(key: K, after: R | undefined): R | undefined {
		const before = rows.get(key);
		if (after === undefined) rows.delete(key);
		else rows.set(key, after);
		if (before === undefined || after === undefined) sort(key, after !== undefined);
		moved(key, before, after);
		return before;
	}
	function write(key: K, after: R | undefined): void {
		const before = set(key, after);
		journal.note(() => void set(key, before));
	}
	return {
		get: (key: K): R | undefined => rows.get(key),
		put: (key: K, row: R): void => write(key, row),
		drop: (key: K): void => write(key, undefined),
		/** All keys, the least first: text in the order of its characters, as SQLite has it. */
		keys(): readonly K[] {
			sorted ??= [...rows.keys()].sort((one, other) => (one < other ? -1 : 1));
			return sorted;
		},
	};
}

/** Keys by a column that may be null. */
export function createIndex<V, K>() {
	const keys = new Map<V, Set<K>>();
	return {
		of: (value: V): ReadonlySet<K> | undefined => keys.get(value),
		move(key: K, before: V | null, after: V | null): void {
			if (before === after) return;
			if (before !== null) {
				const left = keys.get(before);
				left?.delete(key);
				if (left?.size === 0) keys.delete(before);
			}
			if (after === null) return;
			const there = keys.get(after);
			if (there) there.add(key);
			else keys.set(after, new Set([key]));
		},
	};
}
