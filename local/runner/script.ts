// Runs one script of a job: its environment, the files through which it talks back, its output as the log shows it.
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FileCommandError, parseAssignments, parseEnvFile, parsePathFile } from "./file-commands.ts";
import type { JobState } from "./job-state.ts";
import { createCommandReader } from "./log-commands.ts";
import { runShell } from "./shell.ts";
import type { Environment } from "./start-up.ts";

export interface Script {
	command: string[];
	cwd: string;
	/** Over the inherited environment, below GITHUB_* and RUNNER_*. */
	env: Environment;
	signal: AbortSignal;
}

export interface ScriptEnd {
	outputs: Record<string, string>;
	/** Why it failed; null if it did not. */
	failure: string | null;
}

const COMMANDS = { GITHUB_ENV: "set_env", GITHUB_OUTPUT: "set_output", GITHUB_PATH: "add_path", GITHUB_STATE: "save_state" };
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Empty files, one for each way to talk back, new for each script. */
function makeCommandFiles(folder: string): Record<string, string> {
	const id = randomUUID();
	const names = { ...COMMANDS, GITHUB_STEP_SUMMARY: "step_summary" };
	const files = Object.fromEntries(Object.entries(names).map(([variable, name]) => [variable, join(folder, `${name}_${id}`)]));
	mkdirSync(folder, { recursive: true }); // An earlier step may have tidied it away.
	for (const file of Object.values(files)) writeFileSync(file, "");
	return files;
}

function readIfThere(file: string | undefined): string {
	try {
		return file === undefined ? "" : readFileSync(file, "utf8");
	} catch {
		return "";
	}
}

/** Takes over what the script wrote. A text says what was wrong with it. */
function applyCommandFiles(state: JobState, files: Record<string, string>): { outputs: Record<string, string>; failure: string | null } {
	let kind = "env";
	try {
		Object.assign(state.env, parseEnvFile(readIfThere(files.GITHUB_ENV)));
		state.path.unshift(...parsePathFile(readIfThere(files.GITHUB_PATH)).toReversed());
		kind = "output";
		return { outputs: parseAssignments(readIfThere(files.GITHUB_OUTPUT)), failure: null };
	} catch (error) {
		if (!(error instanceof FileCommandError)) throw error;
		return { outputs: {}, failure: `Unable to process file command '${kind}' successfully. ${error.message}` };
	} finally {
		for (const file of Object.values(files)) rmSync(file, { force: true, recursive: true });
	}
}

function environmentOf(state: JobState, script: Script, files: Record<string, string>): Environment {
	const env = { ...state.inherited, ...script.env, ...state.variables, ...files };
	return { ...env, PATH: [...state.path, env.PATH ?? DEFAULT_PATH].join(":") };
}

function createLineWriter(state: JobState): (line: string) => void {
	const read = createCommandReader();
	return (line) => {
		const { shown, secret, annotation } = read(line);
		if (secret !== undefined) state.log.mask(secret);
		if (annotation !== undefined) state.annotations.push(state.log.masked(annotation));
		if (shown !== null) state.log.write(shown);
	};
}

/** Runs the script to its end, or to its forced end. */
export async function runScript(state: JobState, script: Script): Promise<ScriptEnd> {
	const files = makeCommandFiles(state.folders.commands);
	const { command, cwd, signal } = script;
	const shell = { command, cwd, signal, env: environmentOf(state, script, files), onLine: createLineWriter(state), clocks: state.clocks };
	const ended = await runShell(shell).catch((error: unknown) => {
		return `An error occurred trying to start process '${command[0]}' with working directory '${cwd}'. ${error instanceof Error ? error.message : error}`;
	});
	const { outputs, failure } = applyCommandFiles(state, files);
	if (typeof ended === "string") return { outputs, failure: ended };
	return { outputs, failure: ended === 0 ? failure : `Process completed with exit code ${ended}.` };
}
