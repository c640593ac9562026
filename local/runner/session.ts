// The Listener's session: opened once, then asked for messages. Says on stdout what the runner says (FACTS 1.4, 1.5).
import type { BrokerMessage } from "../github/protocol.ts";
import { type Broker, BrokerError } from "./broker.ts";
import type { Clocks } from "./clocks.ts";
import { EXIT } from "./exit-code.ts";
import type { Terminal } from "./terminal.ts";
import { RUNNER_VERSION } from "./version.ts";

export type Opened = { kind: "open"; sessionId: string } | { kind: "exit"; code: number };
export type Turn =
	| { kind: "message"; message: BrokerMessage }
	| { kind: "none" }
	/** The runner was told to end. */
	| { kind: "stopped" }
	/** The registration is gone. */
	| { kind: "gone" }
	| { kind: "deprecated" };

export interface SessionPorts {
	broker: Broker;
	terminal: Terminal;
	clocks: Clocks;
	/** Aborted when the runner is told to end. */
	stop: AbortSignal;
}

const DELETED =
	"Failed to create a session. The runner registration has been deleted from the server, please re-configure. Runner registrations are automatically deleted for runners that have not connected to the service recently.";

/** Resolves after the time, or at once when told to stop. */
export async function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
	if (stop.aborted) return;
	const { promise, resolve } = Promise.withResolvers<void>();
	const wake = () => resolve();
	const timer = setTimeout(wake, milliseconds);
	stop.addEventListener("abort", wake, { once: true });
	await promise;
	stop.removeEventListener("abort", wake);
	clearTimeout(timer);
}

function statusOf(error: unknown): number {
	if (error instanceof BrokerError) return error.status;
	throw error;
}

/** Proves who the runner is. An exit code if that is refused or cannot be asked. */
export async function connect({ broker, terminal }: SessionPorts): Promise<number | null> {
	try {
		await broker.connect();
		terminal.say("");
		terminal.say("√ Connected to GitHub");
		terminal.say("");
		return null;
	} catch (error) {
		const deleted = error instanceof BrokerError && error.code === "invalid_client";
		terminal.complain(deleted ? DELETED : `An error occurred: ${String(error)}`);
		return deleted ? EXIT.terminated : EXIT.retryable;
	}
}

/** Opens a session, waiting for another one of this runner to end. */
export async function openSession({ broker, terminal, clocks, stop }: SessionPorts): Promise<Opened> {
	let conflictFor = 0;
	let failing = false;
	while (!stop.aborted) {
		try {
			const sessionId = await broker.openSession(RUNNER_VERSION);
			if (failing) terminal.sayAt("Runner reconnected.");
			return { kind: "open", sessionId };
		} catch (error) {
			const status = statusOf(error);
			if (status === 404 || (error instanceof BrokerError && error.code === "invalid_client")) {
				terminal.complain(DELETED);
				return { kind: "exit", code: EXIT.terminated };
			}
			if (status === 409) terminal.complain("A session for this runner already exists.");
			else if (!failing) terminal.sayAt(`Runner connect error: ${String(error)}. Retrying until reconnected.`);
			failing ||= status !== 409;
			conflictFor = status === 409 ? conflictFor + clocks.session : 0;
		}
		if (conflictFor > clocks.sessionConflict) {
			terminal.complain(`Stop retry on SessionConflictException after retried for ${clocks.sessionConflict / 1000} seconds.`);
			return { kind: "exit", code: EXIT.sessionConflict };
		}
		await pause(clocks.session, stop);
	}
	return { kind: "exit", code: EXIT.success };
}

/** Asks for messages, one long poll after the other. A poll that fails is tried again until it is answered. */
export function createPoller({ broker, terminal, clocks, stop }: SessionPorts, sessionId: string): () => Promise<Turn> {
	let failures = 0;
	return async () => {
		try {
			const message = await broker.nextMessage(sessionId, clocks.poll, stop);
			if (failures > 0) terminal.sayAt("Runner reconnected.");
			failures = 0;
			return message ? { kind: "message", message } : { kind: "none" };
		} catch (error) {
			const status = statusOf(error);
			if (stop.aborted) return { kind: "stopped" };
			if (status === 403) return { kind: "deprecated" };
			if (status === 404 || (error instanceof BrokerError && error.code === "invalid_client")) return { kind: "gone" };
			if (failures === 0) terminal.sayAt(`Runner connect error: ${String(error)}. Retrying until reconnected.`);
			failures += 1;
			await pause(clocks.reconnect * (failures > 5 ? 2 : 1) * (1 + Math.random()), stop);
			return { kind: "none" };
		}
	};
}
