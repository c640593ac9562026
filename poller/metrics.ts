// What the poller counts, and writes for CloudWatch about once a minute. A process that is lost takes at most a minute of it along.
import type { Outcome } from "../contract/settle.ts";
import { emfLines, type Note } from "./emf.ts";
import type { Metrics } from "./ports.ts";

interface Waiting {
	queuedAt: number;
	/** Handed out again by then, or no longer ours to tell of. Epoch ms. */
	until: number;
}

/** The longest pause of a launch that is put off is half of this (ec2-errors.ts). */
const FORGOTTEN_MS = 10 * 60_000;

/** Seconds that the job which has waited longest has waited, of those that were handed out and not launched since; 0 if there is none. Pure. */
export function oldestSeconds(waiting: Iterable<Waiting>, now: number): number {
	const ages = [...waiting].filter(({ until }) => until > now).map(({ queuedAt }) => Math.max(0, now - queuedAt));
	return Math.round(Math.max(0, ...ages) / 1000);
}

/** Whether a job still waits for a machine after an outcome. */
function waitsStill({ outcome }: Outcome): boolean {
	return ["launching", "extend", "later", "failed"].includes(outcome);
}

export interface MetricsOptions {
	stack: string;
	now(): number;
	/** Takes a whole line, to stdout whatever the log's level is. */
	write(line: string): void;
}

/** Counts for one session. */
export function createMetrics({ stack, now, write }: MetricsOptions): Metrics {
	let notes: Note[] = [];
	const waiting = new Map<string, Waiting>();
	const note = (name: Note["name"], value: number, as?: string) => void notes.push({ name, value, ...(as !== undefined && { as }) });
	return {
		queueTime: (source, ms) => note("QueueTime", Math.max(0, ms), source),
		launched: (market) => note("Launches", 1, market),
		failure: (kind) => note("Errors", 1, kind),
		fallback: () => note("CapacityFallbacks", 1),
		rateLeft: (calls) => note("GitHubRateLeft", calls),
		runnerDaysLeft: (days) => note("RunnerDaysLeft", days),
		machines: (alive) => note("Machines", alive),
		budgets({ jitCalls, ec2Calls, alarm }) {
			if (alarm) note("RunnerDeprecated", 1);
			note("JitCallsLeft", jitCalls);
			note("Ec2CallsLeft", ec2Calls);
		},
		handedOut: ({ workId, queuedAt }) => void waiting.set(workId, { queuedAt, until: now() + FORGOTTEN_MS }),
		settled(result) {
			const known = waiting.get(result.workId);
			if (known && !waitsStill(result)) waiting.delete(result.workId);
			if (known && result.outcome === "later") known.until = Math.max(now(), result.notBefore) + FORGOTTEN_MS;
		},
		flush(isServing) {
			if (isServing) {
				note("Heartbeat", 1);
				note("OldestQueuedSeconds", oldestSeconds(waiting.values(), now()));
			}
			for (const [workId, { until }] of waiting) if (until <= now()) waiting.delete(workId);
			const told = notes;
			notes = [];
			for (const line of emfLines(told, stack, now())) write(line);
		},
	};
}
