// Entry of `bin/Runner.Worker`: one job from the Listener's pipe, run, and its end told to GitHub. Argument: the runner root.
import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import type { Completion, JobMessage } from "../github/protocol.ts";
import { type Broker, BrokerError, createBroker } from "./broker.ts";
import { type Clocks, readClocks } from "./clocks.ts";
import type { WorkerMessage } from "./dispatch.ts";
import { codeOfResult } from "./exit-code.ts";
import { makeFolders } from "./folders.ts";
import { runJob } from "./job.ts";
import type { JobEnd, JobState } from "./job-state.ts";
import { jobVariables } from "./job-variables.ts";
import { createLogStream } from "./log-stream.ts";
import { type Registration, readRegistration } from "./registration.ts";
import { readLines } from "./shell.ts";
import { inheritedEnvironment } from "./start-up.ts";
import { createTerminal, type Terminal } from "./terminal.ts";

const COMPLETE_ATTEMPTS = 5;
/** A longer one would end at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Listens to the Listener: the job, then a word to end it. A Listener that is gone is a runner that shuts down. */
function listenToListener() {
	const job = Promise.withResolvers<JobMessage>();
	const cancel = new AbortController();
	const shutdown = new AbortController();
	const end = (reason: JobEnd) => {
		if (reason === "shutdown") shutdown.abort(reason);
		cancel.abort(reason);
	};
	const onLine = (line: string) => {
		const message = JSON.parse(line) as WorkerMessage;
		if (message.type === "NewJobRequest") job.resolve(message.job);
		else end(message.type === "RunnerShutdown" ? "shutdown" : "cancelled");
	};
	void readLines(Bun.stdin.stream(), onLine).finally(() => end("shutdown"));
	return { job: job.promise, cancel: cancel.signal, shutdown: shutdown.signal, end };
}

type Signals = Pick<JobState, "cancel" | "shutdown">;

function createState(
	root: string,
	message: JobMessage,
	{ settings }: Registration,
	broker: Broker,
	clocks: Clocks,
	signals: Signals,
): JobState {
	const folders = makeFolders(root, settings.WorkFolder, message);
	const facts = { name: settings.AgentName, arch: process.arch, platform: process.platform, trackingId: `github_${randomUUID()}` };
	const log = createLogStream((lines) => broker.log(message.jobId, lines), clocks.log);
	if (message.idToken) log.mask(message.idToken.token);
	return {
		...{ message, folders, facts, clocks, log, ...signals },
		...{ inherited: inheritedEnvironment(process.env), variables: jobVariables(message, facts, folders), env: {}, path: [] },
		...{ steps: {}, records: [], annotations: [], failed: false },
	};
}

/** Tells GitHub how the job ended, again if it cannot be reached. */
async function complete(broker: Broker, completion: Completion, clocks: Clocks, terminal: Terminal): Promise<void> {
	for (let attempt = 1; attempt <= COMPLETE_ATTEMPTS; attempt += 1) {
		try {
			return await broker.complete(completion);
		} catch (error) {
			if (!(error instanceof BrokerError)) throw error;
			terminal.trace(`Complete job: ${error.message}`);
			if (error.status >= 400 && error.status < 500) return;
			await Bun.sleep(clocks.renewAgain);
		}
	}
}

async function main(root: string): Promise<number> {
	for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => {}); // The Listener says when to end.
	const registration = readRegistration(root);
	if (!registration) throw new Error("the runner is not configured");
	const terminal = createTerminal(root, "Worker", process.env.RUNNER_PERFLOG);
	terminal.mark("WorkerProcessStarted");
	const { job, end: endJob, ...signals } = listenToListener();
	const message = await job;
	terminal.mark(`WorkerJobMessageReceived_${message.jobId}`);
	const clocks = readClocks(root);
	const broker = createBroker(registration);
	const state = createState(root, message, registration, broker, clocks, signals);
	terminal.mark(`WorkerJobInitialized_${message.jobId}`);
	const timeout = setTimeout(() => endJob("timeout"), Math.min(message.timeoutMinutes * 60_000, LONGEST_TIMER));
	const { completion, end } = await runJob(state, root);
	clearTimeout(timeout);
	await state.log.close();
	await complete(broker, completion, clocks, terminal);
	return codeOfResult(end === null ? completion.result : "Canceled");
}

process.exit(await main(resolve(process.argv[2] ?? "")));
