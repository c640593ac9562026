// The answers of leases by request id: a repeated request, even while the first still waits, gets the same one. In memory; those that
// hold work are in the rows as well, so that they outlive the process.

export interface Answers<T> {
	/** The answer given or under way for this request, or the one made now. A failure is forgotten. */
	once(request: string, now: number, make: () => Promise<T>): Promise<T>;
}

export function createAnswers<T>(keepFor: number): Answers<T> {
	const given = new Map<string, { at: number; answer: Promise<T> }>();
	return {
		once(request, now, make) {
			for (const [key, { at }] of given) {
				// One from a time to come was given before the clock was set back.
				if (Math.abs(now - at) <= keepFor) break;
				given.delete(key);
			}
			const before = given.get(request);
			if (before) return before.answer;
			const answer = make();
			given.set(request, { at: now, answer });
			answer.catch(() => given.delete(request));
			return answer;
		},
	};
}
