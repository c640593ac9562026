// What becomes of a machine once its boot document is there: its runner goes online, takes a job and keeps it, and both say so.
// Without that GitHub would call it idle and the relay would call it lost, while a long burst is still under way.
import type { BootDocument } from "../../contract/boot.ts";
import type { ReportPhase } from "../../contract/report.ts";
import { type Broker, createBroker } from "../../local/runner/broker.ts";
import { registrationOf } from "../../local/runner/registration.ts";
import { RUNNER_VERSION } from "../../local/runner/version.ts";

/** From the boot document to an online runner: later than the last document of a burst that is not paced. */
const ONLINE_AFTER_MS = 10_000;
const POLL_MS = 50_000;
/** The runner renews its job each minute, and is offline once it has been silent for longer (FACTS 1.5). */
const RENEW_MS = 45_000;

export interface Machines {
	/** A document was written for a machine, which lives from now on. */
	boot(document: BootDocument): void;
	stop(): Promise<void>;
}

export function startMachines(): Machines {
	const stopping = new AbortController();
	const lives = new Set<Promise<void>>();
	return {
		boot(document) {
			const life = live(document, stopping.signal).catch((error: unknown) => {
				if (!stopping.signal.aborted) throw error;
			});
			lives.add(life);
		},
		async stop() {
			stopping.abort();
			await Promise.allSettled(lives);
		},
	};
}

async function live(document: BootDocument, signal: AbortSignal): Promise<void> {
	await pause(ONLINE_AFTER_MS, signal);
	await report(document, "listening", 1, signal);
	const broker = createBroker(registrationOf(document.jitConfig));
	await broker.connect();
	const job = await jobFor(broker, await broker.openSession(RUNNER_VERSION), signal);
	await report(document, "running", 2, signal);
	for (;;) {
		await pause(RENEW_MS, signal);
		await broker.renew(job);
	}
}

async function jobFor(broker: Broker, session: string, signal: AbortSignal): Promise<number> {
	for (;;) {
		signal.throwIfAborted();
		const message = await broker.nextMessage(session, POLL_MS, signal);
		if (message?.messageType !== "RunnerJobRequest") continue;
		return (await broker.acquire(message.jobId)).jobId;
	}
}

async function report(document: BootDocument, phase: ReportPhase, sequence: number, signal: AbortSignal): Promise<void> {
	const { instanceId, jobId } = document;
	const headers = { authorization: `Bearer ${document.report.token}`, "content-type": "application/json" };
	const body = JSON.stringify({ version: 1, instanceId, jobId, sequence, phase, at: Date.now() });
	await fetch(document.report.url, { method: "POST", headers, body, signal });
}

/** Rejects once the signal is aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	const end = () => reject(signal.reason);
	signal.throwIfAborted();
	const timer = setTimeout(resolve, ms);
	signal.addEventListener("abort", end, { once: true });
	await promise.finally(() => {
		clearTimeout(timer);
		signal.removeEventListener("abort", end);
	});
}
