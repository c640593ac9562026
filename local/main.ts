// `bun run local`: reads the command line and a workflow, runs it through the whole system here, shows what happened.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { HELP, type LocalArguments, readArguments } from "./arguments.ts";
import { driveRun } from "./drive.ts";
import { createProgress, type Screen } from "./progress.ts";
import { exitStatus } from "./summary.ts";
import { startSystem } from "./system.ts";
import { waterfall } from "./waterfall.ts";
import { copyJob } from "./workflow/copies.ts";
import type { Workflow } from "./workflow/model.ts";
import { readWorkflow } from "./workflow/read.ts";

const WRONG_INPUT = 2;
const { signals } = constants;

function screenOf(stream: NodeJS.WriteStream): Screen {
	const isTTY = stream.isTTY === true && process.env.TERM !== "dumb";
	return {
		write: (text) => stream.write(text),
		isTTY,
		colour: isTTY && !process.env.NO_COLOR,
		columns: stream.columns ?? 140,
		rows: stream.rows ?? 24,
	};
}

function shownName(file: string | null, jobs: number | null): string {
	if (file !== null) return file;
	return join(import.meta.dir, jobs === null ? "example.yml" : "one-job.yml");
}

async function workflowOf(options: LocalArguments): Promise<{ ok: true; workflow: Workflow } | { ok: false; problems: string[] }> {
	const file = shownName(options.file, options.jobs);
	const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => error);
	if (typeof text !== "string") return { ok: false, problems: [`${file}:1: cannot be read: ${text.code ?? text.message}`] };
	const read = readWorkflow(file, text);
	if (!read.ok) return { ok: false, problems: read.problems.map(({ file, line, reason }) => `${file}:${line}: ${reason}`) };
	return options.jobs === null ? read : copyJob(read.workflow, options.jobs);
}

function refuse(problems: string[], json: boolean): number {
	process.stderr.write(`${problems.join("\n")}\n`);
	if (json) process.stdout.write(`${JSON.stringify({ ok: false, problems })}\n`);
	return WRONG_INPUT;
}

/** Runs one workflow from start to end and returns the exit status. */
async function runLocal(options: LocalArguments, workflow: Workflow, signal: AbortSignal): Promise<number> {
	const folder = await mkdtemp(join(tmpdir(), "mayfly-"));
	const screen = screenOf(process.stdout);
	const progress = createProgress(options.json ? { ...screen, write: () => {} } : screen);
	const system = await startSystem({ folder, machines: options.machines, signal, keep: options.keep });
	try {
		const summary = await driveRun(system, workflow, { signal, onProgress: (jobs) => progress.update(jobs, Date.now()) });
		progress.close();
		if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
		else process.stdout.write(`\n${waterfall(summary.jobs, screen.columns).join("\n")}\n\n${lastLine(summary)}\n`);
		return exitStatus(summary);
	} finally {
		await system.stop();
		if (options.keep) process.stderr.write(`logs are in ${folder}\n`);
		else await rm(folder, { recursive: true, force: true });
	}
}

function lastLine({ ok, jobs, instances, relay }: Awaited<ReturnType<typeof driveRun>>): string {
	const unended = jobs.filter((job) => job.reason !== null).map((job) => `${job.name}: ${job.reason}\n`);
	const machines = `${instances.launched} launched, ${instances.terminated} terminated, ${instances.alive} alive`;
	return `${unended.join("")}${ok ? "ok" : "not ok"}: ${jobs.length} jobs; instances: ${machines}; deliveries: ${relay.deliveries}, ${relay.duplicates} of them duplicates`;
}

async function main(): Promise<number> {
	const read = readArguments(process.argv.slice(2));
	if (!read.ok) return refuse([...read.problems, "see bun run local --help"], process.argv.includes("--json"));
	if (read.value.help) {
		process.stdout.write(HELP);
		return 0;
	}
	const workflow = await workflowOf(read.value);
	if (!workflow.ok) return refuse(workflow.problems, read.value.json);
	const interrupted = new AbortController();
	for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => interrupted.abort(name));
	// A reader that has gone, such as `head`, ends the run like Ctrl-C.
	process.stdout.on("error", () => interrupted.abort("SIGPIPE"));
	try {
		return await runLocal(read.value, workflow.workflow, interrupted.signal);
	} catch (error) {
		if (interrupted.signal.aborted) return 128 + signals[interrupted.signal.reason as keyof typeof signals];
		throw error;
	}
}

process.exitCode = await main();
