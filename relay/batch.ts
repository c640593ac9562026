// Puts what arrives together into one commit: a write of its own for each call costs most of the throughput (FACTS 8).

import type { Timer } from "./timer.ts";

interface Waiting<I, O> {
	item: I;
	resolve: (answer: O) => void;
	reject: (reason: unknown) => void;
}

function runBatch<I, O>(run: (items: I[]) => O[], batch: Waiting<I, O>[]): void {
	try {
		const answers = run(batch.map(({ item }) => item));
		for (const [at, { resolve }] of batch.entries()) resolve(answers[at] as O);
	} catch (error) {
		if (batch.length === 1) for (const { reject } of batch) reject(error);
		// One bad item must not cost the others their place: each again by itself.
		else for (const waiting of batch) runBatch(run, [waiting]);
	}
}

/** Collects the items of one turn of the event loop and runs them together. `run` is one transaction: it applies all or throws. */
export function batched<I, O>(run: (items: I[]) => O[], timer: Timer): (item: I) => Promise<O> {
	let batch: Waiting<I, O>[] = [];
	const flush = () => {
		const full = batch;
		batch = [];
		runBatch(run, full);
	};
	return (item) =>
		new Promise((resolve, reject) => {
			if (batch.push({ item, resolve, reject }) === 1) timer(0, flush);
		});
}
