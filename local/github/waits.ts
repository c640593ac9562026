// Those who wait for a run to complete.
import type { Run } from "./run.ts";

export interface Waits {
	ended(run: Run): void;
	/** Resolves once the run has completed and no webhook is on its way. */
	until(run: Run): Promise<Run>;
}

export function createWaits(webhooksSettled: () => Promise<void>): Waits {
	const waiting = new Map<number, PromiseWithResolvers<void>>();
	return {
		ended({ id }) {
			waiting.get(id)?.resolve();
			waiting.delete(id);
		},
		async until(run) {
			if (!run.conclusion) {
				const wait = waiting.get(run.id) ?? Promise.withResolvers<void>();
				waiting.set(run.id, wait);
				await wait.promise;
			}
			await webhooksSettled();
			return run;
		},
	};
}
