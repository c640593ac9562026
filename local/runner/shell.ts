// Runs one command as the runner does: output line by line, and a ladder of signals when it must end (FACTS 1.7). It stays in the
// runner's own process group, so that the machine's power-off finds it.
import type { Subprocess } from "bun";
import type { Clocks } from "./clocks.ts";
import { signalProcess, treeOf } from "./process-tree.ts";

export interface ShellCommand {
	command: string[];
	cwd: string;
	env: Record<string, string>;
	onLine: (line: string) => void;
	/** Ends the command. */
	signal: AbortSignal;
	clocks: Clocks;
}

/** Calls `onLine` for each line as it comes; the last one needs no end of line. */
export async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
	const decoder = new TextDecoder();
	let rest = "";
	for await (const chunk of stream) {
		const lines = decoder.decode(chunk, { stream: true }).split("\n");
		lines[0] = rest + (lines[0] ?? "");
		rest = lines.pop() ?? "";
		for (const line of lines) onLine(line.replace(/\r$/, ""));
	}
	if (rest !== "") onLine(rest);
}

/** SIGINT to the shell, then SIGTERM, then SIGKILL for all that is below it. */
async function endShell(shell: Subprocess, { interrupt, terminate }: Clocks): Promise<void> {
	const tree = treeOf(shell.pid);
	for (const [name, wait] of [
		["SIGINT", interrupt],
		["SIGTERM", terminate],
	] as const) {
		signalProcess(shell.pid, name);
		const ended = await Promise.race([shell.exited.then(() => true), Bun.sleep(wait).then(() => false)]);
		if (ended) break;
	}
	for (const pid of new Set([...tree, ...treeOf(shell.pid)]))
		if (pid !== shell.pid || shell.exitCode === null) signalProcess(pid, "SIGKILL");
}

/** Resolves with the exit code once the shell has ended and its output is closed, or has stayed open too long; 128+n for a signal. Throws if it cannot be started. */
export async function runShell({ command, cwd, env, onLine, signal, clocks }: ShellCommand): Promise<number> {
	const shell = Bun.spawn(command, { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
	const streams = Promise.all([readLines(shell.stdout, onLine), readLines(shell.stderr, onLine)]);
	let ending: Promise<void> | null = null;
	const end = () => {
		ending ??= endShell(shell, clocks);
	};
	signal.addEventListener("abort", end, { once: true });
	if (signal.aborted) end();
	const code = await shell.exited;
	signal.removeEventListener("abort", end);
	await ending;
	await Promise.race([streams.catch(() => null), Bun.sleep(clocks.streams)]);
	return code;
}
