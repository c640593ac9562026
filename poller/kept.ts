// One answer for each key, asked for once; a failure is forgotten.

/** Wraps a question so that those who ask the same, at a time or later, share one answer. */
export function kept<A extends unknown[], T>(keyOf: (...args: A) => string, ask: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
	const answers = new Map<string, Promise<T>>();
	return (...args) => {
		const key = keyOf(...args);
		const known = answers.get(key) ?? ask(...args);
		answers.set(key, known);
		known.catch(() => answers.delete(key));
		return known;
	};
}
