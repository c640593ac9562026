// The poller on this machine: its bundle in Node 24, invoked again and again as Lambda and its schedule would. Touches processes.
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";

export interface PollerOptions {
	/** The built poller (`dist/poller.mjs`). */
	bundle: string;
	/** A command that runs it, such as one that limits it; it gets the poller's own as its last arguments. */
	under?: string[];
	/** All of its environment. */
	env: Record<string, string>;
	/** How long one invocation may take; default 15 minutes, Lambda's longest. It leases no more in the last 45 s. */
	sessionMs?: number;
	/** Where its output goes; nowhere unless told. */
	logFile?: string;
	/** Told each line of output instead. */
	onLog?: (line: string) => void;
}

export interface Poller {
	/** Of the process that runs now. */
	readonly pid: number;
	/** Invokes it once more, beside the session, with an event as EventBridge would. One that comes while there is no process is lost. */
	invoke(event: unknown): void;
	/** Sends a signal; waits for the end of the process if that is what the signal brings. */
	kill(signal: NodeJS.Signals): Promise<void>;
	/** Ends the process if it still runs, and starts another. */
	restart(): Promise<void>;
	stop(): Promise<void>;
}

const SESSION_MS = 15 * 60_000;
const HOST = join(import.meta.dir, "lambda-host.mjs");
const NODE = join(import.meta.dir, "..", "node_modules", ".bin", "node");
const PAUSES: NodeJS.Signals[] = ["SIGSTOP", "SIGCONT"];

function spawn({ bundle, under = [], env, sessionMs = SESSION_MS, logFile, onLog }: PollerOptions): Subprocess {
	const log = logFile === undefined ? null : openSync(logFile, "a");
	const output = log ?? (onLog ? "pipe" : "ignore");
	const child = Bun.spawn([...under, NODE, HOST, bundle, String(sessionMs)], { env, stdio: ["pipe", output, output] });
	if (log !== null) closeSync(log);
	for (const stream of [child.stdout, child.stderr]) if (onLog && stream instanceof ReadableStream) void readLines(stream, onLog);
	return child;
}

async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
	const decoder = new TextDecoder();
	let rest = "";
	for await (const chunk of stream) {
		const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
		rest = lines.pop() ?? "";
		lines.forEach(onLine);
	}
	if (rest !== "") onLine(rest);
}

/** Starts the poller. It is ready when it leases: nothing has to wait for that. */
export async function startPoller(options: PollerOptions): Promise<Poller> {
	let child = spawn(options);
	const kill = async (signal: NodeJS.Signals) => {
		child.kill(signal);
		if (!PAUSES.includes(signal)) await child.exited;
	};
	return {
		get pid() {
			return child.pid;
		},
		invoke(event) {
			const { stdin, exitCode, signalCode } = child;
			if (typeof stdin !== "object" || exitCode !== null || signalCode !== null) return;
			stdin.write(`${JSON.stringify(event)}\n`);
			void Promise.resolve(stdin.flush()).catch(() => undefined);
		},
		kill,
		async restart() {
			await kill("SIGKILL");
			child = spawn(options);
		},
		stop: () => kill("SIGKILL"),
	};
}
