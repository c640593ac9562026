// How long the agent waits for what, each with its reason. Milliseconds. MAYFLY_CLOCKS overrides any of them (config.ts). Pure.

export interface Clocks {
	/** From the start until the boot document must have come. */
	claim: number;
	/** Between questions to the mailbox: 403 and 404 mean "not yet" (DESIGN 6). */
	pollFast: number;
	pollFastFor: number;
	pollSlow: number;
	/** From "Running job" to the runner's worker: the runner itself waits 120 s for it, as it is told to (FACTS 1.5, 1.10). */
	worker: number;
	/** From SIGINT to SIGKILL: actions/runner's own service waits as long (FACTS 1.7). */
	stopGrace: number;
	/** First pause before a runner that ended with "retryable" is started again; each later one is three times as long. */
	relaunch: number;
	/** A self-update takes at most this long: run-helper.sh waits 31 s for its file (FACTS 1.1). */
	update: number;
	/** How often IMDS is asked for a spot notice; AWS advises 5 s (FACTS 4.5). */
	spotPoll: number;
	/** The runner is told to end this long before EC2 takes the machine, so that the job fails at once and its log is kept (FACTS 1.7). */
	spotLead: number;
	/** The machine stays on this long after the announced end: EC2 must be the one that ends it, as its reason is what a rerun asks for. */
	spotLinger: number;
	/** From the refusal in the job's log to SIGINT, which keeps steps with `if: always()` from running (FACTS 1.7, 1.8). */
	deniedPause: number;
	/** The job-started hook is answered within this time; its own limit is 10 s. */
	hook: number;
	/** The last reports and the record get this long before the power goes. */
	flush: number;
	/** Fetching another runner than the image's may take this long (DESIGN 6). */
	exchange: number;
}

export const CLOCKS: Clocks = {
	claim: 600_000,
	pollFast: 50,
	pollFastFor: 10_000,
	pollSlow: 250,
	worker: 150_000,
	stopGrace: 30_000,
	relaunch: 500,
	update: 31_000,
	spotPoll: 5000,
	spotLead: 25_000,
	spotLinger: 15_000,
	deniedPause: 1000,
	hook: 9000,
	flush: 3000,
	exchange: 120_000,
};
