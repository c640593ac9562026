// One job from the Listener's side: a Worker is started, the job's lock renewed while it works, its end learned from its exit code.
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { JobMessage } from "../github/protocol.ts";
import { type Broker, BrokerError } from "./broker.ts";
import type { Clocks } from "./clocks.ts";
import { type JobResult, resultOfCode } from "./exit-code.ts";
import { pause } from "./session.ts";
import type { Environment } from "./start-up.ts";
import type { Terminal } from "./terminal.ts";

/** What the Worker is told on its stdin, one JSON object a line. */
export type WorkerMessage = { type: "NewJobRequest"; job: JobMessage } | { type: "JobCancellation" } | { type: "RunnerShutdown" };

type EndReason = "JobCancellation" | "RunnerShutdown" | "LockLost";

export interface RunningJob {
	jobId: number;
	tell(reason: EndReason): void;
	ended: Promise<{ kind: "ended"; result: JobResult }>;
}

export interface DispatchPorts {
	root: string;
	env: Environment;
	broker: Broker;
	clocks: Clocks;
	terminal: Terminal;
}

function spawnWorker(root: string, env: Environment) {
	const output = openSync(join(root, "_diag", "Worker_output.log"), "a");
	try {
		return Bun.spawn([join(root, "bin/Runner.Worker"), "spawnclient"], { cwd: root, env, stdio: ["pipe", output, output] });
	} finally {
		closeSync(output);
	}
}

/** False once it could not be renewed in all its attempts, or GitHub no longer knows the job as ours. */
async function renewOnce(
	jobId: number,
	{ broker, clocks }: DispatchPorts,
	stop: AbortSignal,
): Promise<{ held: boolean; cancelled: boolean }> {
	for (let attempt = 1; !stop.aborted; attempt += 1) {
		try {
			return { held: true, ...(await broker.renew(jobId)) };
		} catch (error) {
			if (!(error instanceof BrokerError)) throw error;
			if (error.status === 404 || attempt >= clocks.renewAttempts) return { held: false, cancelled: false };
			await pause(clocks.renewAgain * (1 + 2 * Math.random()), stop);
		}
	}
	return { held: true, cancelled: false };
}

/** Renews until stopped or until the lock is lost, which ends the job (FACTS 1.5). */
async function keepLock(job: RunningJob, ports: DispatchPorts, stop: AbortSignal): Promise<void> {
	while (!stop.aborted) {
		const { held, cancelled } = await renewOnce(job.jobId, ports, stop);
		ports.terminal.mark(`JobRequestRenewed_${job.jobId}`);
		if (!held) return job.tell("LockLost");
		if (cancelled) job.tell("JobCancellation");
		await pause(ports.clocks.renew, stop);
	}
}

/** A Worker that died cannot tell GitHub; the Listener does. */
async function failFor(jobId: number, { broker, terminal }: DispatchPorts): Promise<JobResult> {
	const annotations = ["The runner's worker process ended before the job did."];
	await broker.complete({ jobId, result: "Failed", outputs: {}, steps: [], annotations }).catch((error) => terminal.trace(String(error)));
	return "Failed";
}

/** A Worker that is gone needs no word. */
async function sendTo(worker: ReturnType<typeof spawnWorker>, message: WorkerMessage): Promise<void> {
	try {
		worker.stdin.write(`${JSON.stringify(message)}\n`);
		await worker.stdin.flush();
	} catch {
		// Its exit code says the rest.
	}
}

/** Starts a Worker for the job. */
export function startJob(message: JobMessage, ports: DispatchPorts): RunningJob {
	ports.terminal.mark("StartingWorkerProcess");
	const worker = spawnWorker(ports.root, ports.env);
	const ended = new AbortController();
	const end = Promise.withResolvers<{ kind: "ended"; result: JobResult }>();
	// A lock that is gone after the job was told to end is no news: GitHub forgets it with the job.
	const reasons: EndReason[] = [];
	const tell = (reason: EndReason) => {
		if (reasons.includes(reason)) return;
		reasons.push(reason);
		void sendTo(worker, { type: reason === "RunnerShutdown" ? "RunnerShutdown" : "JobCancellation" });
	};
	const job: RunningJob = { jobId: message.jobId, tell, ended: end.promise };
	void sendTo(worker, { type: "NewJobRequest", job: message });
	void keepLock(job, ports, ended.signal);
	void worker.exited.then(async (code) => {
		ended.abort();
		const result = resultOfCode(code) ?? (await failFor(message.jobId, ports));
		end.resolve({ kind: "ended", result: reasons[0] === "LockLost" && result === "Canceled" ? "Abandoned" : result });
	});
	return job;
}
