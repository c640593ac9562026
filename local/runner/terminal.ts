// Where the runner's processes write: stdout as FACTS 1.4 has it, traces below `_diag`, moments below RUNNER_PERFLOG.
import { appendFileSync, mkdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import { RUNNER_VERSION } from "./version.ts";

export interface Terminal {
	/** One line on stdout. */
	say(line: string): void;
	/** One line on stdout behind the time, in UTC and whole seconds. */
	sayAt(line: string): void;
	complain(line: string): void;
	/** One line in this process's log below `_diag`. */
	trace(line: string): void;
	/** One moment in `Runner.perf` or `Worker.perf`. */
	mark(counter: string): void;
}

/** As .NET's format `u`. */
export function stamp(time: Date): string {
	return `${time.toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** A reader that went away must not end the runner. */
function writeOut(descriptor: 1 | 2, line: string): void {
	try {
		writeSync(descriptor, `${line}\n`);
	} catch {
		// Nobody reads it.
	}
}

function appendTo(file: string | null, line: string): void {
	try {
		if (file) appendFileSync(file, `${line}\n`);
	} catch {
		// A log that cannot be written is not worth the job.
	}
}

function perfFile(folder: string | undefined, name: string): string | null {
	if (!folder) return null;
	mkdirSync(folder, { recursive: true });
	return join(folder, `${name}.perf`);
}

export function createTerminal(root: string, name: "Runner" | "Worker", perfLog: string | undefined): Terminal {
	mkdirSync(join(root, "_diag"), { recursive: true });
	const started = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
	const log = join(root, "_diag", `${name}_${started}-utc.log`);
	const perf = perfFile(perfLog, name);
	const trace = (line: string) => appendTo(log, `[${stamp(new Date())} INFO ${name}] ${line}`);
	trace(`Version: ${RUNNER_VERSION}`);
	return {
		say: (line) => writeOut(1, line),
		sayAt: (line) => writeOut(1, `${stamp(new Date())}: ${line}`),
		complain: (line) => writeOut(2, line),
		trace,
		mark: (counter) => appendTo(perf, `${counter}:${new Date().toISOString()}`),
	};
}
