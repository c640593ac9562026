// What goes wrong in a run, as chances drawn from its seed: some days are quiet, some have one bad neighbour, some have all of them.
import type { Dice } from "../dice.ts";

/** Each between 0 and 1, for one occasion. */
export interface Faults {
	/** A webhook that never arrives and is not recorded as failed. */
	webhookLost: number;
	/** A webhook that GitHub records as failed. */
	webhookFailed: number;
	webhookDoubled: number;
	/** Milliseconds, the longest. */
	webhookDelay: number;
	/** An answer of GitHub's API that fails: 5xx, or a limit with a moment to come back. */
	githubFails: number;
	/** A 404 for what is there, or to what may be done. */
	githubDenies: number;
	/** An effect at GitHub whose answer is lost. */
	githubLosesAnswer: number;
	/** EC2 throttles a call, or fails with it done or undone. */
	ec2Fails: number;
	/** A pool that has nothing for a while. */
	poolEmpty: number;
	/** A machine that never says a word. */
	bootFails: number;
	/** A machine that starts its runner and hangs. */
	runnerHangs: number;
	/** A spot machine that is taken back, for each hour. */
	interrupted: number;
	/** A queued job that is cancelled, or a run. */
	cancelled: number;
	/** A call of the relay that is lost on the way there or back. */
	relayLoses: number;
	/** A report of a machine that is lost. */
	reportLost: number;
	/** The relay starts anew, for each hour. */
	relayRestarts: number;
	/** A webhook of a job that does not exist, for each run that does. */
	forged: number;
	/** A job that the runner it was given to does not pick up: GitHub queues it again (FACTS 1.10). */
	notPickedUp: number;
	/** A session of the poller that dies at some call. */
	pollerDies: number;
}

const MOST: Faults = {
	...{ webhookLost: 0.1, webhookFailed: 0.2, webhookDoubled: 0.2, webhookDelay: 60_000 },
	...{ githubFails: 0.1, githubDenies: 0.05, githubLosesAnswer: 0.1, ec2Fails: 0.15, poolEmpty: 0.5 },
	...{ bootFails: 0.2, runnerHangs: 0.05, interrupted: 0.5, cancelled: 0.15, relayLoses: 0.15, reportLost: 0.3 },
	...{ relayRestarts: 0.5, pollerDies: 0.5, forged: 0.2, notPickedUp: 0.1 },
};

export const NO_FAULTS = Object.fromEntries(Object.keys(MOST).map((name) => [name, 0])) as unknown as Faults;

/** Each kind is off in half of the runs, and as strong as the dice say in the others. */
export function drawFaults(dice: Dice): Faults {
	const isQuiet = dice.chance(0.1);
	const drawn = Object.entries(MOST).map(([name, most]) => [name, isQuiet || dice.chance(0.5) ? 0 : most * (dice.below(1000) / 1000)]);
	return Object.fromEntries(drawn) as unknown as Faults;
}
