// The ways out of a life: telling the runner to end, lingering after it has, turning off. Pure.
import type { Clocks } from "./clocks.ts";
import { type Life, report, type Step } from "./life-state.ts";

export const REASONS = {
	interrupted: "EC2 takes the machine back",
	deadline: "the machine's time is up",
	maxJob: "the job ran longer than a job may",
	noWorker: "the runner took a job and started no worker for it",
	hung: "the runner did not end after its job",
	killed: "the runner did not end when it was told to",
	unclaimed: "no boot document came in time",
	notListening: "the runner did not listen in time",
} as const;

/** The runner's process has this long to be gone after SIGKILL; one that cannot die must not keep the machine. */
const KILLED_GRACE_MS = 2000;

/** The last step. Whatever is asked of the machine from here on is not heard. */
export function turnOff(life: Life, reason: string): Step {
	return { life: { ...life, stage: "off", alarms: {}, why: reason }, effects: [report("off", reason), { type: "off", reason }] };
}

/** The runner has ended or never was. GitHub gets the last lines of a job (FACTS 1.10); EC2 gets to end a machine it announced to take. */
export function linger(life: Life, now: number, clocks: Clocks): Step {
	const afterJob = now + (life.job.started ? (life.limits?.linger ?? 0) : 0);
	const afterNotice = life.stopped && life.stopping === REASONS.interrupted ? (life.terminateAt ?? 0) + clocks.spotLinger : 0;
	const off = Math.max(afterJob, afterNotice);
	if (off <= now) return turnOff(life, life.why);
	return { life: { ...life, stage: "finishing", alarms: { end: life.alarms.end, off } }, effects: [{ type: "record" }] };
}

/** Tells the runner to end. SIGINT and not SIGTERM, which cuts the job's log short (FACTS 1.7). */
export function stop(life: Life, reason: string, now: number, clocks: Clocks): Step {
	const stopping: Life = { ...life, stopping: reason, stopped: true, why: reason };
	if (life.runner === "down") return linger(stopping, now, clocks);
	const kill = now + clocks.stopGrace;
	return {
		life: { ...stopping, stage: "finishing", alarms: { end: life.alarms.end, kill } },
		effects: [{ type: "signal", signal: "SIGINT" }],
	};
}

/** Has the runner told to end at a moment, unless that is due earlier for another reason. */
export function stopBy(life: Life, at: number, reason: string): Life {
	if (life.stopped || at >= (life.alarms.stop ?? Number.POSITIVE_INFINITY)) return life;
	return { ...life, stopping: reason, alarms: { ...life.alarms, stop: at } };
}

/** SIGINT was not enough. */
export function kill(life: Life, now: number): Step {
	const reason = `${life.why}; ${REASONS.killed}`;
	return {
		life: { ...life, why: reason, alarms: { end: life.alarms.end, off: now + KILLED_GRACE_MS } },
		effects: [{ type: "signal", signal: "SIGKILL" }],
	};
}
