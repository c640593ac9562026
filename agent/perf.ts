// The runner's own counters (RUNNER_PERFLOG, FACTS 1.4): sub-second timings that its output does not have. A job can write these files:
// they are figures for people, and are read with care.
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Measurements } from "../contract/report.ts";

const MAX_BYTES = 64 * 1024;

/** Counters by name with their moments (epoch ms), the first of each; a line of another form is none. Pure. */
export function countersOf(text: string): Map<string, number> {
	const counters = new Map<string, number>();
	for (const line of text.split("\n")) {
		const [, name, time] = /^([A-Za-z_]+?)(?:_[0-9a-fA-F-]+)?:(\d{4}-\d\d-\d\dT[0-9:.]+Z)\s*$/.exec(line) ?? [];
		const at = Date.parse(time ?? "");
		if (name !== undefined && !Number.isNaN(at) && !counters.has(name)) counters.set(name, at);
	}
	return counters;
}

const SPANS: [name: string, from: string, to: string][] = [
	["sessionMs", "RunnerProcessStarted", "SessionCreated"],
	["messageMs", "SessionCreated", "MessageReceived_RunnerJobRequest"],
	["workerMs", "StartingWorkerProcess", "WorkerProcessStarted"],
	["jobInitMs", "WorkerJobMessageReceived", "WorkerJobInitialized"],
];

/** `sessionMs`: the runner's start to its session; `messageMs`: to its job; `workerMs`: the worker's start; `jobInitMs`: to the job's first step. Pure. */
export function perfTimings(counters: ReadonlyMap<string, number>): Measurements {
	const known = SPANS.flatMap(([name, from, to]) => {
		const [begun, ended] = [counters.get(from), counters.get(to)];
		return begun === undefined || ended === undefined ? [] : [[name, ended - begun] as const];
	});
	return Object.fromEntries(known);
}

/** A bounded look at a file that a job may have replaced: no link is followed, nothing but a file is read. Empty if there is none. */
function readBounded(path: string): string {
	let file: number | null = null;
	try {
		file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
		if (!fstatSync(file).isFile()) return "";
		const bytes = Buffer.alloc(MAX_BYTES);
		return bytes.toString("utf8", 0, readSync(file, bytes, 0, MAX_BYTES, 0));
	} catch {
		return "";
	} finally {
		if (file !== null) closeSync(file);
	}
}

/** What the runner counted so far in its folder. */
export function readPerf(folder: string): Measurements {
	return perfTimings(countersOf(`${readBounded(join(folder, "Runner.perf"))}\n${readBounded(join(folder, "Worker.perf"))}`));
}
