// One run of the poller: leases until it must end, sweeps now and then, and waits for what it began.
import type { Ports } from "./ports.ts";
import { RelayError } from "./relay.ts";
import { sweepDeliveries, sweepMachines } from "./sweep.ts";
import { newSession, runBeside, type SessionState, tick } from "./tick.ts";

/** A lease may wait for 25 s and its launches must still end (DESIGN 5). */
export const LAST_LEASE_MS = 45_000;
/** The relay holds a lease for at most this long. */
const LONGEST_WAIT_SECONDS = 25;
/** Left for the process to end by itself. */
const MARGIN_MS = 2_000;
const RELAY_PAUSE_MS = 2_000;

export type SessionEnd = "superseded" | "time is up";

/** Runs until superseded or out of time. Throws a RelayError that no waiting mends, such as a token that is refused. */
export async function runSession(ports: Ports, session: string, sweepMs: number): Promise<SessionEnd> {
	const state = newSession(session);
	const sweep = createSweep(ports, state, sweepMs);
	let end: SessionEnd = "time is up";
	while (ports.now() < ports.endsAt - LAST_LEASE_MS) {
		const { superseded } = await leaseOnce(ports, state, Math.min(LONGEST_WAIT_SECONDS, sweep.dueInMs() / 1000));
		if (superseded) end = "superseded";
		if (superseded) break;
		sweep.whenDue();
	}
	await underWayOrTime(ports, state);
	return end;
}

async function leaseOnce(ports: Ports, state: SessionState, waitSeconds: number): Promise<{ superseded: boolean }> {
	try {
		return await tick(ports, state, waitSeconds);
	} catch (error) {
		if (!(error instanceof RelayError && error.retryable)) throw error;
		ports.log.warn({ error: error.message }, "no lease");
		await ports.sleep(RELAY_PAUSE_MS);
		return { superseded: false };
	}
}

/** Two sweeps of a kind never overlap. The first one comes with the session, once it is known to serve. */
function createSweep(ports: Ports, state: SessionState, everyMs: number) {
	const asked = new Map<string, number>();
	let nextAt = ports.now();
	let isRunning = false;
	const sweepAll = async () => {
		isRunning = true;
		const results = await Promise.allSettled([sweepMachines(ports), sweepDeliveries(ports, asked)]);
		isRunning = false;
		for (const result of results) if (result.status === "rejected") ports.log.error({ error: String(result.reason) }, "sweep broke off");
	};
	return {
		/** While one runs there is nothing to be woken for. */
		dueInMs: () => (isRunning ? Number.POSITIVE_INFINITY : Math.max(0, nextAt - ports.now())),
		whenDue() {
			if (isRunning || ports.now() < nextAt) return;
			nextAt = ports.now() + everyMs;
			runBeside(ports, state, "sweep", sweepAll);
		},
	};
}

async function underWayOrTime(ports: Ports, state: SessionState): Promise<void> {
	const left = Math.max(0, ports.endsAt - ports.now() - MARGIN_MS);
	await Promise.race([Promise.allSettled(state.underWay), ports.sleep(left)]);
}
