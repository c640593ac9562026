// What follows when machines say that GitHub gives their runner's version no jobs any more: launching is paused before a loop of machines
// that die unused gets expensive (FACTS 1.9). One machine's word is a hint; two that nothing ran on are evidence enough to stop. Pure.
import type { JobState } from "../contract/job.ts";
import { LIMITS } from "./clocks.ts";

export interface Deprecation {
	machines: string[];
	/** Set while launching is paused for it. */
	reason: string | null;
}

/**
 * The new record after a machine's report, or null if it says nothing new. `state` is of the job seated there: what a job runs on might
 * be forged by the job.
 */
export function hearDeprecated(before: Deprecation | null, instanceId: string, state: JobState, said: string | null): Deprecation | null {
	if (state !== "launching" && state !== "launched") return null;
	if (before?.reason || before?.machines.includes(instanceId)) return null;
	const machines = [...(before?.machines ?? []), instanceId];
	const reason =
		machines.length >= LIMITS.deprecations ? `${machines.join(" and ")}: ${said ?? "the runner's version is deprecated"}` : null;
	return { machines, reason };
}
