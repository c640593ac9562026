// What follows when the runner's process has ended: its job's conclusion, another try, or the way out. Pure.
import type { Clocks } from "./clocks.ts";
import { type Conclusion, type RunnerExit, readExit } from "./exit.ts";
import { linger } from "./life-ending.ts";
import { deprecated, type Effect, type Life, report, type Step, stay } from "./life-state.ts";

/** With pauses that triple from half a second: 20 s in all, the time a gateway's successor needs (DESIGN 10). */
const MAX_RELAUNCHES = 4;

/** Null when no job ran, or nobody can say how it ended. A job that we cut short is a failure to GitHub, whatever the runner calls it (FACTS 1.7). */
function conclusionOf({ job, stopped }: Life, exit: RunnerExit): Conclusion | null {
	const said = exit.kind === "result" ? exit.conclusion : job.started ? (job.said ?? (stopped ? "failure" : null)) : null;
	return stopped && said === "cancelled" ? "failure" : said;
}

function relaunch(life: Life, exit: RunnerExit, now: number, clocks: Clocks): Step {
	if (life.relaunches >= MAX_RELAUNCHES) {
		const why = `the runner could not be started, ${MAX_RELAUNCHES + 1} times`;
		return linger({ ...life, why }, now, clocks);
	}
	const pause = exit.kind === "updating" ? clocks.update : clocks.relaunch * 3 ** life.relaunches;
	const effects: Effect[] = exit.kind === "updating" ? [{ type: "awaitUpdate" }] : [];
	return { life: { ...life, stage: "preparing", alarms: { ...life.alarms, relaunch: now + pause } }, effects };
}

function leave(life: Life, exit: RunnerExit, effects: Effect[], now: number, clocks: Clocks): Step {
	const said = exit.kind === "ended" ? exit.reason : "the runner ended before its job did";
	const step = linger(life.why === "" ? { ...life, why: said } : life, now, clocks);
	return { life: step.life, effects: [...effects, ...step.effects] };
}

/** The runner has ended, with a code or by a signal. */
export function exited(life: Life, event: { code: number | null; signal: string | null }, now: number, clocks: Clocks): Step {
	if (life.runner === "down") return stay(life);
	const exit = readExit(event.code, event.signal);
	const down: Life = { ...life, runner: "down" };
	const conclusion = conclusionOf(life, exit);
	if (conclusion !== null) {
		const why = life.why || `its job ended: ${conclusion}`;
		const finished = report("finished", conclusion, { exitCode: event.code });
		return leave({ ...down, why, job: { started: true, said: conclusion } }, exit, [finished], now, clocks);
	}
	const again = exit.kind === "retryable" || exit.kind === "updating";
	if (again && !life.stopped && !life.job.started) return relaunch(down, exit, now, clocks);
	const told = exit.kind === "ended" && exit.deprecated ? deprecated(down, exit.reason) : stay(down);
	return leave(told.life, exit, told.effects, now, clocks);
}
