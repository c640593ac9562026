// The registered runners: registration, sessions, which job each holds. State in memory; who gets which job is dispatch.ts.
import { randomUUID } from "node:crypto";
import type { Scope } from "./dispatch.ts";
import type { BrokerMessage } from "./protocol.ts";
import type { RunnerGroup } from "./world.ts";

/** An unused registration of an ephemeral runner is removed after a day (FACTS 1.10), milliseconds. */
const UNUSED = 86_400_000;

export interface RunnerSession {
	id: string;
	version: string;
	startedAt: number;
	lastSeenAt: number;
	/** Answers the open long poll, if one is open. */
	wake: (() => void) | null;
	messages: BrokerMessage[];
}

export interface Runner {
	readonly id: number;
	readonly name: string;
	readonly clientId: string;
	readonly labels: string[];
	readonly scope: Scope;
	readonly group: RunnerGroup;
	readonly workFolder: string;
	readonly createdAt: number;
	session: RunnerSession | null;
	/** The job offered or running. */
	jobId: number | null;
	offeredAt: number | null;
	/** When the running job was last renewed; null until it is acquired. */
	renewedAt: number | null;
}

export type Registration = Pick<Runner, "name" | "labels" | "scope" | "group" | "workFolder">;

export interface Runners {
	all(): Runner[];
	get(id: number): Runner | null;
	ofClient(clientId: string): Runner | null;
	inScope(scope: Scope): Runner[];
	/** Null when the name is taken in that scope. */
	register(registration: Registration): Runner | null;
	/** Its poll answers at once that the runner is gone. */
	remove(runner: Runner): void;
	isOnline(runner: Runner): boolean;
	send(runner: Runner, message: BrokerMessage): void;
	/** Ends registrations nobody used and sessions that have gone silent. */
	sweep(): void;
}

const sameScope = (a: Scope, b: Scope) => a.accountId === b.accountId && a.repositoryId === b.repositoryId;

export function createRunners(now: () => number, offlineAfterMs: number): Runners {
	const runners = new Map<number, Runner>();
	let lastId = 1000;

	const all = () => [...runners.values()];
	const inScope = (scope: Scope) => all().filter((runner) => sameScope(runner.scope, scope));

	function isOnline({ session }: Runner): boolean {
		return session !== null && (session.wake !== null || now() - session.lastSeenAt <= offlineAfterMs);
	}

	function remove(runner: Runner): void {
		runners.delete(runner.id);
		runner.session?.wake?.();
	}

	return {
		...{ all, inScope, remove, isOnline },
		get: (id) => runners.get(id) ?? null,
		ofClient: (clientId) => all().find((runner) => runner.clientId === clientId) ?? null,
		register(registration) {
			if (inScope(registration.scope).some(({ name }) => name.toLowerCase() === registration.name.toLowerCase())) return null;
			const state = { session: null, jobId: null, offeredAt: null, renewedAt: null };
			const runner: Runner = { id: ++lastId, clientId: randomUUID(), createdAt: now(), ...registration, ...state };
			runners.set(runner.id, runner);
			return runner;
		},
		send(runner, message) {
			runner.session?.messages.push(message);
			runner.session?.wake?.();
		},
		sweep() {
			for (const runner of all()) {
				if (runner.session && !isOnline(runner) && runner.jobId === null) runner.session = null;
				if (!runner.session && runner.jobId === null && now() - runner.createdAt > UNUSED) remove(runner);
			}
		},
	};
}
