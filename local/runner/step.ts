// One `run:` step: its templates evaluated, its script run by bash, its end written down.
import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { evaluate, evaluateValue } from "../workflow/expression.ts";
import type { Conclusion, Env, Step, Template } from "../workflow/model.ts";
import { complain, contextsOf, type JobState, record } from "./job-state.ts";
import { runScript, type ScriptEnd } from "./script.ts";
import type { Environment } from "./start-up.ts";

interface PreparedStep {
	name: string;
	script: string;
	/** The step's own, evaluated. */
	env: Environment;
	cwd: string;
	continueOnError: boolean;
	/** Null for none but the job's. */
	minutes: number | null;
}

export function evaluateEnv(env: Env, contexts: Record<string, unknown>): Environment {
	return Object.fromEntries(Object.entries(env).map(([name, template]) => [name, evaluate(template, contexts)]));
}

function evaluateMinutes(given: Template | number, contexts: Record<string, unknown>): number {
	const minutes = Number(typeof given === "number" ? given : evaluateValue(given, contexts));
	if (!(minutes > 0)) throw new Error(`timeout-minutes is ${minutes}, not a number above 0`);
	return minutes;
}

function evaluateFlag(given: Template | boolean, contexts: Record<string, unknown>): boolean {
	const flag = typeof given === "boolean" ? given : evaluateValue(given, contexts);
	if (typeof flag !== "boolean") throw new Error(`continue-on-error is '${String(flag)}', not true or false`);
	return flag;
}

/** Throws for a template that cannot be evaluated. */
function prepare(state: JobState, step: Step): PreparedStep {
	const env = evaluateEnv(step.env, contextsOf(state));
	const contexts = contextsOf(state, { ...state.env, ...env });
	const script = evaluate(step.run, contexts).replaceAll("\r\n", "\n");
	const directory = step.workingDirectory ?? state.message.workingDirectory;
	return {
		name: step.name ? evaluate(step.name, contexts) : defaultName(script),
		script,
		env,
		cwd: resolve(state.folders.workspace, directory === null ? "." : evaluate(directory, contexts)),
		continueOnError: evaluateFlag(step.continueOnError, contexts),
		minutes: step.timeoutMinutes === null ? null : evaluateMinutes(step.timeoutMinutes, contexts),
	};
}

function defaultName(script: string): string {
	return `Run ${script.trim().split("\n")[0] ?? ""}`;
}

/** As GitHub's page "Workflow syntax" says of `shell`: only a shell that was asked for by name fails a pipe early. */
function commandOf(bash: string, step: Step, file: string): string[] {
	return step.shell === "bash" ? [bash, "--noprofile", "--norc", "-eo", "pipefail", file] : [bash, "-e", file];
}

function showHead({ log }: JobState, { script, env }: PreparedStep, command: string[]): void {
	log.write(`##[group]${defaultName(script)}`);
	for (const line of script.trimEnd().split("\n")) log.write(line);
	log.write(`shell: ${[...command.slice(0, -1), "{0}"].join(" ")}`);
	const shown = Object.entries(env);
	if (shown.length > 0) log.write("env:");
	for (const [name, value] of shown) log.write(`  ${name}: ${value}`);
	log.write("##[endgroup]");
}

async function runPrepared(state: JobState, step: Step, prepared: PreparedStep): Promise<ScriptEnd> {
	const { script, cwd, minutes } = prepared;
	const env = { ...state.env, ...prepared.env };
	const file = join(state.folders.temp, `${randomUUID()}.sh`);
	mkdirSync(state.folders.temp, { recursive: true });
	writeFileSync(file, script);
	const bash = Bun.which("bash", { PATH: [...state.path, env.PATH ?? state.inherited.PATH ?? ""].join(":") }) ?? "/bin/bash";
	const command = commandOf(bash, step, file);
	showHead(state, { ...prepared, env }, command);
	const timeout = minutes === null ? null : AbortSignal.timeout(minutes * 60_000);
	const signal = timeout ? AbortSignal.any([state.cancel, timeout]) : state.cancel;
	const end = await runScript(state, { command, cwd, env, signal });
	if (timeout?.aborted && !state.cancel.aborted)
		return { ...end, failure: `The action '${prepared.name}' has timed out after ${minutes} minutes.` };
	return end;
}

function outcomeOf(state: JobState, { failure }: ScriptEnd): Conclusion {
	if (state.cancel.aborted) return "cancelled";
	return failure === null ? "success" : "failure";
}

function keep(state: JobState, step: Step, end: ScriptEnd, outcome: Conclusion, conclusion: Conclusion): void {
	if (conclusion === "failure") state.failed = true;
	if (step.id !== null) state.steps[step.id] = { outputs: end.outputs, outcome, conclusion };
}

/** A step that the job no longer comes to. */
export function skipStep(state: JobState, step: Step): void {
	keep(state, step, { outputs: {}, failure: null }, "skipped", "skipped");
	record(state, step.name ?? defaultName(step.run), "skipped", Date.now());
}

/** Runs a step and keeps what it set, said and became. Never throws for what the step did. */
export async function runStep(state: JobState, step: Step): Promise<void> {
	const startedAt = Date.now();
	let prepared: PreparedStep;
	try {
		prepared = prepare(state, step);
	} catch (error) {
		complain(state, `The template is not valid. line ${step.line}: ${error instanceof Error ? error.message : String(error)}`);
		keep(state, step, { outputs: {}, failure: null }, "failure", "failure");
		record(state, step.name ?? defaultName(step.run), "failure", startedAt);
		return;
	}
	const end = await runPrepared(state, step, prepared);
	const outcome = outcomeOf(state, end);
	if (outcome === "failure" && end.failure !== null) complain(state, end.failure);
	const conclusion = outcome === "failure" && prepared.continueOnError ? "success" : outcome;
	keep(state, step, end, outcome, conclusion);
	record(state, prepared.name, conclusion, startedAt);
}
