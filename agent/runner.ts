// The runner as a process of the agent's: `bin/Runner.Listener run` itself, since `run.sh` hides how it ended (FACTS 1.1).
import { join } from "node:path";
import { type Account, asAccount } from "./account.ts";

export interface RunnerProcess {
	signal(name: "SIGINT" | "SIGKILL"): void;
}

export interface RunnerOptions {
	root: string;
	/** All that the runner has for an environment, and what jobs inherit. */
	env: Record<string, string>;
	/** Null: the agent's own user. */
	account: Account | null;
	onLine: (line: string) => void;
	/** Called once, after the last line. */
	onExit: (code: number | null, signal: string | null) => void;
}

/** A longer line is cut: it is none of those that mean something. */
const MAX_LINE = 16_384;
/** A child that keeps the runner's output open does not hold up its end. */
const DRAIN_MS = 500;

/**
 * The runner's environment. The switches make the exit code tell how a job ended and whether the version is deprecated (FACTS 1.3), and
 * give the first worker on a cold disk two minutes (FACTS 1.5). Pure.
 */
export function runnerEnvironment(
	inherited: Record<string, string>,
	account: Account | null,
	given: { jitConfig: string; hook: string; perfDir: string },
): Record<string, string> {
	const person = account && { HOME: account.home, USER: account.name, LOGNAME: account.name, SHELL: account.shell };
	return {
		...inherited,
		...person,
		ACTIONS_RUNNER_INPUT_JITCONFIG: given.jitConfig,
		ACTIONS_RUNNER_HOOK_JOB_STARTED: given.hook,
		ACTIONS_RUNNER_RETURN_JOB_RESULT_FOR_HOSTED: "true",
		ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE: "1",
		GITHUB_ACTIONS_RUNNER_CHANNEL_TIMEOUT: "120",
		RUNNER_PERFLOG: given.perfDir,
	};
}

/** `setpriv` becomes the runner, so the process id is the runner's. Pure. */
export function runnerCommand(root: string, account: Account | null): string[] {
	return [...asAccount(account), join(root, "bin/Runner.Listener"), "run"];
}

/** Cuts what comes into lines. */
export function createLines(onLine: (line: string) => void): { add(chunk: Uint8Array): void; end(): void } {
	const decoder = new TextDecoder();
	let rest = "";
	return {
		add(chunk) {
			const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
			rest = (lines.pop() ?? "").slice(0, MAX_LINE);
			for (const line of lines) onLine(line.slice(0, MAX_LINE).replace(/\r$/, ""));
		},
		end() {
			if (rest !== "") onLine(rest);
			rest = "";
		},
	};
}

async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
	const lines = createLines(onLine);
	for await (const chunk of stream) lines.add(chunk);
	lines.end();
}

/** Starts the runner, in the agent's own process group. Throws if it cannot be started. */
export function startRunner({ root, env, account, onLine, onExit }: RunnerOptions): RunnerProcess {
	const child = Bun.spawn(runnerCommand(root, account), { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
	const drained = Promise.allSettled([readLines(child.stdout, onLine), readLines(child.stderr, onLine)]);
	void child.exited.then(async () => {
		await Promise.race([drained, Bun.sleep(DRAIN_MS)]);
		onExit(child.exitCode, child.signalCode === null ? null : String(child.signalCode));
	});
	return { signal: (name) => child.kill(name) };
}
