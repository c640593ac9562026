// Entry of `bin/Runner.Listener`: the verbs, the signals, the exit code. Arguments: the runner root, then those of the runner.
import { resolve } from "node:path";
import { EXIT } from "./exit-code.ts";
import { listen } from "./listen.ts";
import { configure, readEnvironment, readRunArguments } from "./start-up.ts";
import { createTerminal, type Terminal } from "./terminal.ts";
import { RUNNER_COMMIT, RUNNER_VERSION } from "./version.ts";

/** SIGINT and SIGTERM end the runner once; what ended it is the reason. */
function stopSignal(): AbortSignal {
	const stop = new AbortController();
	for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => stop.abort(name));
	return stop.signal;
}

function refuse(terminal: Terminal, reason: string): number {
	terminal.complain(reason);
	return EXIT.terminated;
}

async function run(root: string, args: string[]): Promise<number> {
	const stop = stopSignal();
	const { env, inputs } = readEnvironment(root, process.env);
	const terminal = createTerminal(root, "Runner", env.RUNNER_PERFLOG);
	terminal.mark("RunnerProcessStarted");
	const asked = readRunArguments(args, inputs);
	if (typeof asked === "string") return refuse(terminal, asked);
	const registration = configure(root, asked.jitConfig);
	if (typeof registration === "string") return refuse(terminal, registration);
	return await listen({ root, env, registration, terminal, stop });
}

async function main([folder = "", verb = "", ...args]: string[]): Promise<number> {
	const root = resolve(folder);
	if (verb === "run") return await run(root, args);
	const terminal = createTerminal(root, "Runner", undefined);
	if (verb === "--version" || verb === "--commit") terminal.say(verb === "--version" ? RUNNER_VERSION : RUNNER_COMMIT);
	else if (verb !== "warmup") return refuse(terminal, `Unrecognized command-line input arguments: '${verb}'.`);
	return EXIT.success;
}

process.exit(
	await main(process.argv.slice(2)).catch((error: unknown) => {
		process.stderr.write(`An error occurred: ${String(error)}\n`);
		return EXIT.retryable;
	}),
);
