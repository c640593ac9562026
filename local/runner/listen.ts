// `Runner.Listener run`: a session, one job, an exit code. Everything it says on stdout is FACTS 1.4.
import { type Broker, createBroker } from "./broker.ts";
import { type Clocks, readClocks } from "./clocks.ts";
import { type RunningJob, startJob } from "./dispatch.ts";
import { codeOfResult, EXIT, isSet, type JobResult } from "./exit-code.ts";
import { type Registration, removeRegistration } from "./registration.ts";
import { connect, createPoller, openSession, type SessionPorts, type Turn } from "./session.ts";
import type { Environment } from "./start-up.ts";
import type { Terminal } from "./terminal.ts";
import { RUNNER_VERSION } from "./version.ts";

export interface ListenOptions {
	root: string;
	env: Environment;
	registration: Registration;
	terminal: Terminal;
	/** Aborted with the name of the signal that ends the runner. */
	stop: AbortSignal;
}

interface Ending {
	code: number;
	/** A job ran to its end. */
	ranJob: boolean;
}

interface Listening extends ListenOptions {
	broker: Broker;
	clocks: Clocks;
}

/** Takes the job a message offers; null if it is no longer to be had, or cannot be asked for: another message may come. */
async function takeJob(jobId: number, listening: Listening): Promise<RunningJob | null> {
	const { broker, terminal } = listening;
	terminal.mark("MessageReceived_RunnerJobRequest");
	const message = await broker.acquire(jobId).catch((error) => {
		terminal.trace(`Skipping message Job. ${String(error)}`);
		return null;
	});
	if (!message) return null;
	const name = message.name.replace(/\s*[\r\n]+\s*/g, " ");
	terminal.sayAt(`Running job: ${name}`);
	const job = startJob(message, listening);
	const ended = job.ended.then((end) => {
		terminal.sayAt(`Job ${name} completed with result: ${end.result}`);
		return end;
	});
	return { ...job, ended };
}

/** The job is cancelled, not drained. SIGTERM waits for it for a while, SIGINT until it has ended (FACTS 1.7). */
async function shutDown(job: RunningJob | null, { stop, terminal, clocks }: Listening): Promise<Ending> {
	terminal.say("Exiting...");
	const terminated = stop.reason === "SIGTERM";
	job?.tell("RunnerShutdown");
	if (job) await Promise.race([job.ended, ...(terminated ? [Bun.sleep(clocks.unload)] : [])]);
	return { code: terminated ? EXIT.terminatedBySignal : EXIT.success, ranJob: false };
}

function endAfterJob(result: JobResult, env: Environment): Ending {
	return { code: isSet(env.ACTIONS_RUNNER_RETURN_JOB_RESULT_FOR_HOSTED) ? codeOfResult(result) : EXIT.success, ranJob: true };
}

function codeWithoutJob(turn: Turn, { root, env, terminal }: Listening): number | null {
	if (turn.kind === "gone") {
		terminal.say("The runner no longer exists on the server. Cleaning up local configuration.");
		removeRegistration(root);
		return EXIT.success;
	}
	if (turn.kind !== "deprecated") return null;
	terminal.say(`Runner version v${RUNNER_VERSION} is deprecated and cannot receive messages.`);
	return isSet(env.ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE) ? EXIT.versionDeprecated : EXIT.terminated;
}

function stopOf(signal: AbortSignal): Promise<{ kind: "stopped" }> {
	const { promise, resolve } = Promise.withResolvers<{ kind: "stopped" }>();
	if (signal.aborted) resolve({ kind: "stopped" });
	signal.addEventListener("abort", () => resolve({ kind: "stopped" }), { once: true });
	return promise;
}

/** Polls until a job has ended, the registration is gone or the runner is told to end. While a job runs, a runner that is gone is no news. */
async function pollForJob(poll: () => Promise<Turn>, listening: Listening): Promise<Ending> {
	const stopped = stopOf(listening.stop);
	const never = new Promise<never>(() => {});
	let job: RunningJob | null = null;
	let polling: Promise<Turn> = poll();
	for (;;) {
		const event = await Promise.race([stopped, job?.ended ?? never, polling]);
		if (event.kind === "stopped") return shutDown(job, listening);
		if (event.kind === "ended") return endAfterJob(event.result, listening.env);
		const code: number | null = job ? null : codeWithoutJob(event, listening);
		if (code !== null) return { code, ranJob: false };
		if (event.kind === "message" && event.message.messageType === "JobCancellation") job?.tell("JobCancellation");
		else if (event.kind === "message" && !job) job = await takeJob(event.message.jobId, listening);
		polling = job && (event.kind === "gone" || event.kind === "deprecated") ? never : poll();
	}
}

/** Runs at most one job. Resolves with the exit code. */
export async function listen(options: ListenOptions): Promise<number> {
	const { root, registration, terminal, stop } = options;
	const broker = createBroker(registration);
	const clocks = readClocks(root);
	const ports: SessionPorts = { broker, terminal, clocks, stop };
	const refused = await connect(ports);
	if (refused !== null) return refused;
	terminal.say(`Current runner version: '${RUNNER_VERSION}'`);
	const opened = await openSession(ports);
	if (opened.kind === "exit") {
		if (stop.aborted) terminal.say("Exiting...");
		return opened.code;
	}
	terminal.mark("SessionCreated");
	terminal.sayAt("Listening for Jobs");
	const { code, ranJob } = await pollForJob(createPoller(ports, opened.sessionId), { ...options, broker, clocks });
	await broker.closeSession(opened.sessionId).catch((error) => terminal.trace(String(error)));
	if (registration.settings.Ephemeral && ranJob) removeRegistration(root);
	return code;
}
