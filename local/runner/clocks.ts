// How long the runner waits for what. The defaults are those of actions/runner (FACTS 1.5, 1.7), but for `renew`: a lock is renewed every
// minute there, and the local system's clocks are shorter. Milliseconds; a test overrides them through `bin/clocks.json`.
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Clocks {
	poll: number;
	renew: number;
	/** Between the attempts of one renewal; after `renewAttempts` the job is abandoned. */
	renewAgain: number;
	renewAttempts: number;
	/** Between attempts to open a session that is held elsewhere, and when to stop. */
	session: number;
	sessionConflict: number;
	/** Least time before a poll that failed is tried again; the most is twice that. */
	reconnect: number;
	/** From the first word to a step that must end to the next, harder one. */
	interrupt: number;
	terminate: number;
	/** How long a step's output may stay open after its shell ended. */
	streams: number;
	/** How long SIGTERM waits for a job to end. */
	unload: number;
	log: number;
}

export const CLOCKS: Clocks = {
	poll: 50_000,
	renew: 1000,
	renewAgain: 5000,
	renewAttempts: 5,
	session: 30_000,
	sessionConflict: 240_000,
	reconnect: 15_000,
	interrupt: 7500,
	terminate: 2500,
	streams: 5000,
	unload: 30_000,
	log: 200,
};

export function readClocks(root: string): Clocks {
	return { ...CLOCKS, ...(JSON.parse(readFileSync(join(root, "bin/clocks.json"), "utf8")) as Partial<Clocks>) };
}
