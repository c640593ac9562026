// AWS's Lambda Runtime Interface Emulator with Node 24: the folder of a function's zip, invoked over HTTP as AWS's own images are. Built once
// by Go into .cache; the function's process is stopped by its id.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort, goBinary, installGoProgram } from "./go-program.ts";

const MODULE = "github.com/aws/aws-lambda-runtime-interface-emulator";
/** The module has no versions that Go would know by a number. */
const PROGRAM = { path: `${MODULE}/cmd/aws-lambda-rie`, version: "v0.0.0-20261030222936-bef5c4ba774d" };
const NODE = join(import.meta.dir, "..", "..", "node_modules", ".bin", "node");
const RUNTIME = join(import.meta.dir, "lambda-runtime.mjs");
const INVOKE = "/2015-03-31/functions/function/invocations";

export const installLambdaEmulator = () => installGoProgram(PROGRAM);

export interface FunctionOptions {
	/** What its zip holds. */
	folder: string;
	/** `file.export`, of `file.mjs` in the folder. */
	handler: string;
	env: Record<string, string>;
	timeoutSeconds: number;
	memoryMb: number;
	/** Of V8, MB: less than the memory by what a process needs beside it. */
	oldSpaceMb: number;
}

export interface LambdaFunction {
	/** Waits for the function to answer; null from one that returns nothing. */
	invoke(event: unknown): Promise<unknown>;
	/** Every line that it printed and that is JSON. */
	lines: Record<string, unknown>[];
	/** Of its process, MB: the most memory that it had at once, and what it has by itself now, without Node's program; null where the kernel does not tell. */
	memory(): Promise<{ peak: number; own: number } | null>;
	stop(): Promise<void>;
}

async function readLines(stream: ReadableStream<Uint8Array>, lines: Record<string, unknown>[]): Promise<void> {
	let rest = "";
	const decoder = new TextDecoder();
	for await (const chunk of stream) {
		const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
		rest = parts.pop() ?? "";
		// Lambda's own lines among them are words: START, END, REPORT.
		for (const line of parts) if (line.startsWith("{")) lines.push(JSON.parse(line) as Record<string, unknown>);
	}
}

export async function startFunction(options: FunctionOptions): Promise<LambdaFunction> {
	const { folder, handler, env, timeoutSeconds, memoryMb, oldSpaceMb } = options;
	const [api, front] = [await freePort(), await freePort()].map((port) => `127.0.0.1:${port}`);
	const addresses = ["--runtime-api-address", api ?? "", "--runtime-interface-emulator-address", front ?? "", "--log-level", "error"];
	const emulator = Bun.spawn([goBinary(PROGRAM), ...addresses, NODE, RUNTIME, handler], {
		cwd: folder,
		env: {
			...{ ...env, LAMBDA_TASK_ROOT: folder, NODE_OPTIONS: `--max-old-space-size=${oldSpaceMb}` },
			...{ AWS_LAMBDA_FUNCTION_TIMEOUT: String(timeoutSeconds), AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb) },
		},
		stdio: ["ignore", "pipe", "inherit"],
	});
	const lines: Record<string, unknown>[] = [];
	const read = readLines(emulator.stdout, lines);
	const isUp = () =>
		fetch(`http://${front}/`).then(
			() => true,
			() => false,
		);
	while (emulator.exitCode === null && !(await isUp())) await Bun.sleep(20);
	/** Each process that was started says its id first. */
	const pid = () => lines.findLast(({ at }) => at === "runtime")?.pid;
	return {
		lines,
		async invoke(event) {
			const answer = await fetch(`http://${front}${INVOKE}`, { method: "POST", body: JSON.stringify(event) });
			const text = await answer.text();
			return text === "" ? null : (JSON.parse(text) as unknown);
		},
		async memory() {
			const status = await readFile(`/proc/${pid()}/status`, "utf8").catch(() => "");
			const megabytes = (name: string) => Math.round(Number(new RegExp(`^${name}:\\s*(\\d+) kB`, "m").exec(status)?.[1]) / 1024);
			return status === "" ? null : { peak: megabytes("VmHWM"), own: megabytes("RssAnon") };
		},
		async stop() {
			const child = pid();
			try {
				if (typeof child === "number") process.kill(child, "SIGKILL");
			} catch {
				// It has ended.
			}
			emulator.kill("SIGKILL");
			await emulator.exited;
			await read;
		},
	};
}
