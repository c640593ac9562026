// `bun run deploy`: the process around deploy/command.ts. The only file here that names the environment; the AWS SDK reads its own part of it.
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { deploy } from "./command.ts";

const INTERRUPTED = 130;
const interruption = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const)
	process.on(name, () => {
		// The second one is meant.
		if (interruption.signal.aborted) process.exit(INTERRUPTED);
		interruption.abort();
	});

const { signal } = interruption;
const isTerminal = process.stdin.isTTY === true && process.stderr.isTTY === true;

async function ask(question: string): Promise<string> {
	// Without a terminal of its own Ctrl-C stays a signal.
	const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
	try {
		return await lines.question(question, { signal });
	} finally {
		lines.close();
	}
}

/** Ends early, and with the signal's error, when the person does. */
function sleep(ms: number): Promise<void> {
	return new Promise((resolve, reject) => {
		const stop = () => {
			clearTimeout(timer);
			reject(signal.reason);
		};
		const timer = setTimeout(() => {
			signal.removeEventListener("abort", stop);
			resolve();
		}, ms);
		signal.addEventListener("abort", stop, { once: true });
	});
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
	if (error.code !== "EPIPE") throw error;
});
process.exitCode = await deploy(process.argv.slice(2), {
	out: (text) => void process.stdout.write(text),
	err: (text) => void process.stderr.write(text),
	colour: process.stdout.isTTY === true && process.env.TERM !== "dumb" && !process.env.NO_COLOR,
	ask: isTerminal ? ask : null,
	defaultRegion: process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION,
	checkout: join(import.meta.dir, ".."),
	...{ signal, sleep, now: Date.now },
});
