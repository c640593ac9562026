// The agent's life as a pure machine, `(life, event, now) -> (life, effects)`, with its deadlines inside: whatever happens or fails to
// happen, it ends in `off` (DESIGN 9). Called by run.ts for every event and whenever the next alarm is due.
import type { Clocks } from "./clocks.ts";
import { CONCLUSIONS } from "./exit.ts";
import { kill, REASONS, stop, stopBy, turnOff } from "./life-ending.ts";
import { exited } from "./life-exit.ts";
import { ALARMS, type Alarm, deprecated, type Effect, type Event, type Life, report, type Step, stay } from "./life-state.ts";
import type { RunnerLine } from "./runner-lines.ts";

type Of<T extends Event["type"]> = Extract<Event, { type: T }>;

function claimed(life: Life, { limits }: Of<"claimed">, now: number, clocks: Clocks): Step {
	if (life.stage !== "claiming") return stay(life);
	const known: Life = { ...life, stage: "preparing", limits, alarms: { end: limits.deadline } };
	const told: Effect[] = [{ type: "remove" }, report("claimed")];
	if (life.terminateAt !== null)
		return afterEffects([...told, interruptedBy(life.terminateAt)], stop(known, REASONS.interrupted, now, clocks));
	const stopAt = limits.deadline - clocks.stopGrace;
	if (stopAt <= now) return afterEffects(told, turnOff(known, REASONS.deadline));
	const bounded = stopBy(known, stopAt, REASONS.deadline);
	const launched: Life = { ...bounded, runner: "up", alarms: { ...bounded.alarms, idle: now + limits.idle } };
	return { life: launched, effects: [{ type: "launch" }, ...told] };
}

function listening(life: Life, now: number): Step {
	if (life.stage !== "preparing") return stay(life);
	const alarms = { ...life.alarms, idle: now + (life.limits?.idle ?? 0) };
	return { life: { ...life, stage: "listening", alarms }, effects: [{ type: "show" }, report("listening")] };
}

function started(life: Life, now: number, clocks: Clocks): Step {
	if (life.job.started || life.runner === "down") return stay(life);
	const busy: Life = { ...life, job: { started: true, said: null } };
	// It took a job while it was being told to end: it is named, and it still ends.
	if (life.stage === "finishing") return { life: busy, effects: [report("running")] };
	const { idle: _, ...alarms } = life.alarms;
	const watched: Life = { ...busy, stage: "running", alarms: { ...alarms, worker: now + clocks.worker } };
	const running = stopBy(watched, now + (life.limits?.maxJob ?? 0), REASONS.maxJob);
	return { life: running, effects: [report("running"), { type: "awaitWorker" }] };
}

function said(life: Life, line: RunnerLine, now: number, clocks: Clocks): Step {
	switch (line.kind) {
		case "listening":
			return listening(life, now);
		case "started":
			return started(life, now, clocks);
		case "completed": {
			if (!life.job.started) return stay(life);
			const job = { started: true, said: CONCLUSIONS[line.result] };
			return stay(stopBy({ ...working(life), job }, now + clocks.stopGrace, REASONS.hung));
		}
		case "deprecated":
			return deprecated(life, `the runner's version ${line.version} is deprecated: GitHub gives it no jobs`);
		case "deleted":
			return stay({ ...life, why: life.why || "GitHub no longer knows this runner" });
		default:
			return stay(life);
	}
}

/** The job has its worker, or needs none any more. */
function working(life: Life): Life {
	const { worker: _, ...alarms } = life.alarms;
	return { ...life, alarms };
}

const interruptedBy = (terminateAt: number) => report("interrupted", null, { terminateAt });

/** A job may use what is left but the last seconds; a runner without one must not take one any more. */
function noticed(life: Life, { terminateAt }: Of<"noticed">, now: number, clocks: Clocks): Step {
	if (life.terminateAt !== null) return stay(life);
	const known: Life = { ...life, terminateAt };
	if (life.limits === null) return stay(known);
	const told = [interruptedBy(terminateAt)];
	if (life.stage === "preparing" || life.stage === "listening") return afterEffects(told, stop(known, REASONS.interrupted, now, clocks));
	return { life: life.stage === "running" ? stopBy(known, terminateAt - clocks.spotLead, REASONS.interrupted) : known, effects: told };
}

/** Nothing follows from it but that it is told: the phase is said again, with its moment among the measurements. */
function recommended(life: Life): Step {
	return life.stage === "listening" || life.stage === "running" ? { life, effects: [report(life.stage)] } : stay(life);
}

function denied(life: Life, { reason }: Of<"denied">, now: number, clocks: Clocks): Step {
	if (life.runner === "down" || life.limits === null) return stay(life);
	return { life: stopBy({ ...life, why: life.why || reason }, now + clocks.deniedPause, reason), effects: [report("denied", reason)] };
}

/** The machine is going down anyway: a runner that still runs gets to say so, lingering is over. */
function signalled(life: Life, { signal }: Of<"signalled">, now: number, clocks: Clocks): Step {
	const reason = `the agent was told to end by ${signal}`;
	if (life.limits === null || life.runner === "down") return turnOff(life, life.why || reason);
	return life.stopped ? stay(life) : stop(life, reason, now, clocks);
}

function launchAgain(life: Life): Step {
	const { relaunch: _, ...alarms } = life.alarms;
	return { life: { ...life, runner: "up", relaunches: life.relaunches + 1, alarms }, effects: [{ type: "launch" }] };
}

function happen(life: Life, event: Event, now: number, clocks: Clocks): Step {
	switch (event.type) {
		case "identified":
			return life.stage === "booting" ? { life: { ...life, stage: "claiming" }, effects: [{ type: "claim" }] } : stay(life);
		case "claimed":
			return claimed(life, event, now, clocks);
		case "refused":
			return turnOff(life, event.reason);
		case "said":
			return said(life, event.line, now, clocks);
		case "exited":
			return exited(life, event, now, clocks);
		case "updated":
			return life.alarms.relaunch === undefined ? stay(life) : launchAgain(life);
		case "working":
			return stay(working(life));
		case "denied":
			return denied(life, event, now, clocks);
		case "noticed":
			return noticed(life, event, now, clocks);
		case "recommended":
			return recommended(life);
		case "signalled":
			return signalled(life, event, now, clocks);
		case "tick":
			return stay(life);
	}
}

function idle(life: Life, now: number, clocks: Clocks): Step {
	const seconds = Math.round((life.limits?.idle ?? 0) / 1000);
	const reason = life.stage === "preparing" ? REASONS.notListening : `no job came within ${seconds} s`;
	return afterEffects([report("idle", reason)], stop(life, reason, now, clocks));
}

function ring(life: Life, alarm: Alarm, now: number, clocks: Clocks): Step {
	const { [alarm]: _, ...alarms } = life.alarms;
	const rung: Life = { ...life, alarms };
	switch (alarm) {
		case "end":
			return afterEffects(life.runner === "up" ? [{ type: "signal", signal: "SIGKILL" }] : [], turnOff(rung, REASONS.deadline));
		case "off":
			return turnOff(rung, life.why);
		case "claim":
			return turnOff(rung, REASONS.unclaimed);
		case "kill":
			return kill(rung, now);
		case "stop":
			return stop(rung, life.stopping ?? REASONS.deadline, now, clocks);
		case "worker":
			return stop(rung, REASONS.noWorker, now, clocks);
		case "idle":
			return idle(rung, now, clocks);
		case "relaunch":
			return launchAgain(rung);
	}
}

function afterEffects(effects: Effect[], step: Step): Step {
	return { life: step.life, effects: [...effects, ...step.effects] };
}

/** The alarm that is due first, with its moment (epoch ms); null once the machine is off. */
export function nextAlarm({ alarms }: Life): { alarm: Alarm; at: number } | null {
	const set = ALARMS.flatMap((alarm) => (alarms[alarm] === undefined ? [] : [{ alarm, at: alarms[alarm] }]));
	return set.toSorted((one, other) => one.at - other.at)[0] ?? null;
}

/** What follows from an event, and from every alarm that is due by now. */
export function live(life: Life, event: Event, now: number, clocks: Clocks): Step {
	let step = life.stage === "off" ? stay(life) : happen(life, event, now, clocks);
	for (let next = nextAlarm(step.life); next !== null && next.at <= now; next = nextAlarm(step.life))
		step = afterEffects(step.effects, ring(step.life, next.alarm, now, clocks));
	return step;
}
