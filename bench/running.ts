// What a bench has started, so that an interruption ends it and nothing is left behind.

interface Part {
	stop(): Promise<void>;
}

const running = new Set<Part>();
let isInterrupted = false;

/** Ends what is measured, so that every measurement fails at once. */
export async function interrupt(): Promise<void> {
	isInterrupted = true;
	await Promise.all([...running].map((part) => part.stop()));
}

/** Keeps track of a part until it is stopped. Throws if the bench was interrupted meanwhile. */
export async function keepTrack<T extends Part>(part: T): Promise<T> {
	running.add(part);
	if (isInterrupted) await part.stop();
	if (isInterrupted) throw new Error("interrupted");
	const stop = async () => {
		running.delete(part);
		await part.stop();
	};
	return { ...part, stop };
}
