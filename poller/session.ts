// One run of the poller: leases until it must end, sweeps now and then, and waits for what it began.
import { discover, roundsAt } from "./discover.ts";
import { sweepGhosts } from "./ghosts.ts";
import { redeliveriesAt } from "./points.ts";
import type { Ports } from "./ports.ts";
import { RelayError } from "./relay.ts";
import { type Looked, sweepDeliveries, sweepMachines } from "./sweep.ts";
import { newSession, runBeside, type SessionState, tick } from "./tick.ts";
import { watchRunner } from "./watch-runner.ts";

/** A lease may wait for 25 s and its launches must still end (DESIGN 5). */
export const LAST_LEASE_MS = 45_000;
/** The relay holds a lease for at most this long. */
const LONGEST_WAIT_SECONDS = 25;
/** Left for the process to end by itself. */
const MARGIN_MS = 2_000;
const RELAY_PAUSE_MS = 2_000;
/** Registrations without machines harm nobody for some minutes. */
const GHOSTS_EVERY = 5;

export type SessionEnd = "superseded" | "time is up";

/** Runs until superseded or out of time. Throws a RelayError that no waiting mends, such as a token that is refused. */
export async function runSession(ports: Ports, session: string, sweepMs: number): Promise<SessionEnd> {
	const state = newSession(ports, session);
	const ending = Promise.withResolvers<void>();
	let isServing = false;
	const serve = () => {
		isServing = true;
		runBeside(ports, state, "sweeping", () => sweepUntil(ports, state, sweepMs, ending.promise));
		runBeside(ports, state, "looking at the runner's age", () => watchRunner(ports));
		runBeside(ports, state, "counting", () => flushUntil(ports, sweepMs, ending.promise));
	};
	try {
		return await leaseUntilEnd(ports, state, serve);
	} finally {
		ending.resolve();
		await underWayOrTime(ports, state);
		ports.metrics.flush(isServing);
	}
}

/** The first lease only asks whether this session serves; then `serving` is told. */
async function leaseUntilEnd(ports: Ports, state: SessionState, serving: () => void): Promise<SessionEnd> {
	for (let isServing = false; ports.now() < ports.endsAt - LAST_LEASE_MS; ) {
		const lease = await leaseOnce(ports, state, isServing ? LONGEST_WAIT_SECONDS : 0);
		if (lease?.superseded) return "superseded";
		if (lease && !isServing) serving();
		isServing ||= lease !== null;
	}
	return "time is up";
}

/** Null when the relay did not answer; it may the next time. */
async function leaseOnce(ports: Ports, state: SessionState, waitSeconds: number): Promise<{ superseded: boolean } | null> {
	try {
		return await tick(ports, state, waitSeconds);
	} catch (error) {
		if (!(error instanceof RelayError && error.retryable)) throw error;
		ports.log.warn({ error: error.message }, "no lease");
		state.room = 0;
		await ports.sleep(RELAY_PAUSE_MS);
		return null;
	}
}

/** Sweeps at once and then every so often; two sweeps never overlap. */
async function sweepUntil(ports: Ports, state: SessionState, everyMs: number, ending: Promise<void>): Promise<void> {
	const asked = new Map<string, number>();
	const life = { begunAt: ports.now(), endsAt: ports.endsAt };
	let rounds = roundsAt(ports.now(), everyMs);
	let ghosts = new Set<string>();
	const looked: Looked = { machines: null };
	let looks = 0;
	const look = async () => {
		const active = await sweepMachines(ports, looked);
		rounds = await discover(ports, active, rounds);
		if (++looks % GHOSTS_EVERY === 0) ghosts = await sweepGhosts(ports, active, ghosts);
	};
	let isOver = false;
	void ending.then(() => {
		isOver = true;
	});
	while (!isOver) {
		const results = await Promise.allSettled([
			look(),
			sweepDeliveries(ports, asked, Math.min(state.room, redeliveriesAt(ports.now(), life))),
		]);
		for (const result of results) if (result.status === "rejected") ports.log.error({ error: String(result.reason) }, "sweep broke off");
		await Promise.race([ports.sleep(everyMs), ending]);
	}
}

/** Apart from the sweeps: a poller whose sweeps hang is not silent. */
async function flushUntil(ports: Ports, everyMs: number, ending: Promise<void>): Promise<void> {
	let isOver = false;
	void ending.then(() => {
		isOver = true;
	});
	while (!isOver) {
		ports.metrics.flush(true);
		await Promise.race([ports.sleep(everyMs), ending]);
	}
}

async function underWayOrTime(ports: Ports, state: SessionState): Promise<void> {
	const left = Math.max(0, ports.endsAt - ports.now() - MARGIN_MS);
	await Promise.race([Promise.allSettled(state.underWay), ports.sleep(left)]);
}
