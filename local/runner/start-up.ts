// What the Listener does before it talks to anyone: its environment, its arguments, its configuration. Touches the runner root only.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Registration, readRegistration, writeJitConfig } from "./registration.ts";

export type Environment = Record<string, string>;

/** Set for the runner's own programs alone: not part of what a job inherits. */
export const OWN_VARIABLE = "BUN_RUNTIME_TRANSPILER_CACHE_PATH";
const INPUT = "ACTIONS_RUNNER_INPUT_";

/** What this process was given, and may pass on. */
export function inheritedEnvironment(given: Record<string, string | undefined>): Environment {
	const known = Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[0] !== OWN_VARIABLE);
	return Object.fromEntries(known);
}

/** The environment with the `KEY=VALUE` lines of the root's `.env` over it, and the inputs apart: no job may see those (FACTS 1.1). */
export function readEnvironment(root: string, given: Record<string, string | undefined>): { env: Environment; inputs: Environment } {
	const env: Environment = {};
	const inputs: Environment = {};
	const lines = readLines(join(root, ".env")).map((line) => /^([^=]+)=(.*)$/.exec(line));
	const added = lines.flatMap((match) => (match?.[1] ? [[match[1], match[2] ?? ""] as const] : []));
	for (const [name, value] of [...Object.entries(inheritedEnvironment(given)), ...added]) {
		if (name.startsWith(INPUT)) inputs[name.slice(INPUT.length).toLowerCase()] = value;
		else env[name] = value;
	}
	return { env, inputs };
}

function readLines(file: string): string[] {
	try {
		return readFileSync(file, "utf8").split(/\r?\n/);
	} catch {
		return [];
	}
}

/** What `Runner.Listener run` was asked; a text says what is wrong with it. */
export function readRunArguments(args: string[], inputs: Environment): { jitConfig: string | null } | string {
	try {
		const options = { jitconfig: { type: "string" }, once: { type: "boolean" }, ephemeral: { type: "boolean" } } as const;
		const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
		if (positionals.length > 0) return `Unrecognized command-line input arguments: '${positionals.join(" ")}'.`;
		return { jitConfig: values.jitconfig ?? inputs.jitconfig ?? null };
	} catch (error) {
		return `Unrecognized command-line input arguments: ${error instanceof Error ? error.message : String(error)}`;
	}
}

/** Writes the just-in-time configuration, if one was given, and reads what the root is configured as. A text says why it is not. */
export function configure(root: string, jitConfig: string | null): Registration | string {
	try {
		if (jitConfig !== null) writeJitConfig(root, jitConfig);
	} catch (error) {
		return `The just-in-time configuration cannot be read: ${error instanceof Error ? error.message : String(error)}`;
	}
	return readRegistration(root) ?? "Not configured. Run config.(sh/cmd) to configure the runner.";
}
