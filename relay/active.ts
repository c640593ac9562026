// Which repositories had jobs lately: those whose webhooks the poller should not rely on alone. In memory.
import type { JobPointer } from "../contract/job.ts";
import type { ActiveRepository } from "../contract/observe.ts";

/** As many as one answer names (contract/observe.ts). */
const MOST = 100;

export function createActive() {
	const byName = new Map<string, ActiveRepository>();
	return {
		saw({ repository, installationId }: Pick<JobPointer, "repository" | "installationId">): void {
			byName.delete(repository);
			byName.set(repository, { repository, installationId });
			const [oldest] = byName.keys();
			if (byName.size > MOST && oldest !== undefined) byName.delete(oldest);
		},
		/** The newest first. */
		all: (): ActiveRepository[] => [...byName.values()].toReversed(),
	};
}
