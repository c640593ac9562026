// What the agent's life consists of: its stages, what may happen, what is to be done. Types and the beginning. Pure.
import type { Limits } from "../contract/boot.ts";
import type { Measurements, ReportPhase } from "../contract/report.ts";
import type { Clocks } from "./clocks.ts";
import type { Conclusion } from "./exit.ts";
import type { RunnerLine } from "./runner-lines.ts";

/** The order in which a life moves; it only ever goes back from listening to preparing, when the runner is started again. */
export const STAGES = ["booting", "claiming", "preparing", "listening", "running", "finishing", "off"] as const;
export type Stage = (typeof STAGES)[number];

/** Moments (epoch ms) at which something is due; the order settles ties. */
export const ALARMS = ["end", "off", "claim", "kill", "stop", "worker", "idle", "relaunch"] as const;
export type Alarm = (typeof ALARMS)[number];

export interface Life {
	stage: Stage;
	alarms: Partial<Record<Alarm, number>>;
	/** Known from the claim on. */
	limits: Limits | null;
	runner: "up" | "down";
	relaunches: number;
	/** A job was taken; its conclusion once the runner said it. */
	job: { started: boolean; said: Conclusion | null };
	/** Why the alarm `stop` was set, and then why the runner was told to end. */
	stopping: string | null;
	/** The runner was told to end. */
	stopped: boolean;
	/** When EC2 takes the machine, once it said so. */
	terminateAt: number | null;
	/** Whether it was told that GitHub gives this runner no jobs. */
	deprecated: boolean;
	/** Why the machine goes off, as far as it is known. */
	why: string;
}

export type Event =
	| { type: "identified" }
	| { type: "claimed"; limits: Limits }
	/** The boot document is not for us, or what it asks for cannot be done. */
	| { type: "refused"; reason: string }
	| { type: "said"; line: RunnerLine }
	| { type: "exited"; code: number | null; signal: string | null }
	| { type: "updated" }
	/** The runner's worker was seen: the job has begun. */
	| { type: "working" }
	| { type: "denied"; reason: string }
	| { type: "noticed"; terminateAt: number }
	/** EC2 recommends to leave the machine: a notice may follow. */
	| { type: "recommended" }
	/** Somebody asked the agent itself to end. */
	| { type: "signalled"; signal: string }
	| { type: "tick" };

export type Effect =
	| { type: "claim" }
	| { type: "launch" }
	/** Delete the boot document. */
	| { type: "remove" }
	/** Show the timings so far to the job's author. */
	| { type: "show" }
	/** Say when the runner's update is finished. */
	| { type: "awaitUpdate" }
	/** Say when the runner's worker is there. */
	| { type: "awaitWorker" }
	/** Leave what is known of the machine where it outlives it: EC2 may end it before it goes off by itself. */
	| { type: "record" }
	| { type: "signal"; signal: "SIGINT" | "SIGKILL" }
	| { type: "report"; phase: ReportPhase; reason: string | null; measurements: Measurements }
	/** Nothing comes after it. */
	| { type: "off"; reason: string };

export interface Step {
	life: Life;
	effects: Effect[];
}

/** A life at its beginning. */
export function begin(now: number, clocks: Clocks): Life {
	return {
		stage: "booting",
		alarms: { claim: now + clocks.claim },
		limits: null,
		runner: "down",
		relaunches: 0,
		job: { started: false, said: null },
		stopping: null,
		stopped: false,
		terminateAt: null,
		deprecated: false,
		why: "",
	};
}

export function report(phase: ReportPhase, reason: string | null = null, measurements: Measurements = {}): Effect {
	return { type: "report", phase, reason, measurements };
}

/** GitHub gives this runner's version no jobs: told once, since every further machine would be launched for nothing. */
export function deprecated(life: Life, reason: string): Step {
	if (life.deprecated || life.job.started) return stay(life);
	return { life: { ...life, deprecated: true, why: life.why || reason }, effects: [report("deprecated", reason)] };
}

export const stay = (life: Life): Step => ({ life, effects: [] });
