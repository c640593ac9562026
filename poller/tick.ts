// One lease and its work. The next lease never waits for it; what is under way is counted, so that there is a limit.
import type { ResolvedConfig } from "../contract/config.ts";
import type { Budgets, LaunchItem, LeaseRequest, WorkItem } from "../contract/lease.ts";
import { check } from "./check.ts";
import { createGuard } from "./guard.ts";
import { kept } from "./kept.ts";
import { launch } from "./launch.ts";
import { type OutcomeBody, settle, settleWith } from "./outcome.ts";
import type { Ports, Relay } from "./ports.ts";
import { createRunReaders, type ReadRun } from "./read-runs.ts";
import { createRegistrationHolds, type RegistrationHolds } from "./registration-holds.ts";
import { rerun } from "./rerun.ts";
import { terminate } from "./terminate.ts";
import { createTurns } from "./turns.ts";

/** EC2 takes 10 CreateTags a second after a first hundred (FACTS 4.1). */
const TAGS_AT_A_TIME = 4;

/** What a session remembers between its leases; nothing that it could not lose. */
export interface SessionState {
	session: string;
	/** Of the lease whose answer is awaited; the next one gets its own. */
	leases: number;
	/** Makes the readers of each lease. */
	readers: ReturnType<typeof createRunReaders>;
	registrations: RegistrationHolds;
	/** New jobs that the relay takes in, as its newest lease says; none while it does not answer. */
	room: number;
	/** Items under way, by workId. */
	working: Map<string, WorkItem>;
	/** Everything that goes on beside the next lease. */
	underWay: Set<Promise<void>>;
}

export function newSession({ github, now }: Ports, session: string): SessionState {
	return {
		session,
		leases: 0,
		room: 0,
		readers: createRunReaders(github, now),
		registrations: createRegistrationHolds(now),
		working: new Map(),
		underWay: new Set(),
	};
}

const MOST_LEASED = 100;
/** Launches, mostly: each holds one registration and a few calls. */
const MOST_UNDER_WAY = 300;
const FULL_PAUSE_MS = 50;

/** Leases and starts the work. `superseded`: another session serves. Throws a RelayError; the same lease is then asked for again. */
export async function tick(ports: Ports, state: SessionState, waitSeconds: number): Promise<{ superseded: boolean }> {
	while (state.working.size >= MOST_UNDER_WAY) await ports.sleep(FULL_PAUSE_MS);
	const max = Math.min(MOST_LEASED, MOST_UNDER_WAY - state.working.size);
	const request = {
		session: state.session,
		requestId: `${state.session}-${state.leases}`,
		max,
		waitSeconds,
		endsAt: ports.endsAt,
		caps: capsOf(ports.config),
	};
	const { work, budgets, superseded = false, room = Number.POSITIVE_INFINITY } = await ports.relay.lease(request);
	state.leases += 1;
	state.room = room;
	if (budgets.alarm) ports.log.error({ alarm: budgets.alarm }, "launching is paused until an operator has looked");
	if (work.length > 0) runBeside(ports, state, "work", () => perform(ports, state, work, budgets));
	return { superseded };
}

/** Of the owners that have any. */
function capsOf({ owners }: ResolvedConfig): LeaseRequest["caps"] {
	const capped = owners.filter(({ maxMachines, maxMachinesPerRepository }) => maxMachines !== null || maxMachinesPerRepository !== null);
	return Object.fromEntries(
		capped.map(({ name, maxMachines, maxMachinesPerRepository }) => [
			name.toLowerCase(),
			{ machines: maxMachines, perRepository: maxMachinesPerRepository },
		]),
	);
}

/** Starts something that nobody waits for but the session's end. It never rejects. */
export function runBeside(ports: Ports, state: SessionState, name: string, run: () => Promise<void>): void {
	const running: Promise<void> = run()
		.catch((error: unknown) => ports.log.error({ error: String(error) }, `${name} broke off`))
		.finally(() => state.underWay.delete(running));
	state.underWay.add(running);
}

/** Does each item once, until it is settled. */
export async function perform(ports: Ports, state: SessionState, work: readonly WorkItem[], budgets: Budgets): Promise<void> {
	const { fresh, again } = takeUp(state, work);
	ports.log.debug({ workIds: fresh.map(({ workId }) => workId), again: again.length }, "leased");
	const at: Ports = { ...ports, relay: lettingGo(ports.relay, state) };
	const { read, readQueued } = state.readers(fresh.flatMap((item) => (item.kind === "check" || isLaunch(item) ? [item.job] : [])));
	const inTurn = createTurns(TAGS_AT_A_TIME);
	const beside = (run: () => Promise<void>) => runBeside(ports, state, "tagging", () => inTurn(run));
	const [launches, others] = [fresh.filter(isLaunch), fresh.filter((item) => !isLaunch(item))];
	await Promise.all([
		// On anything but a launch this would end the lease.
		settle(
			at,
			again.filter(isLaunch).map((item) => ({ item, body: { outcome: "extend" } })),
		),
		launch(at, launches, {
			budgets,
			read: readQueued,
			guard: createGuard(at),
			registrations: state.registrations,
			cancel: kept((_, runId) => String(runId), at.github.cancelRun),
			beside,
		}),
		...others.map((item) => settleWith(at, item, () => performOne(at, item, read))),
	]).finally(() => {
		for (const { workId, leaseId } of fresh) letGo(state, workId, leaseId);
	});
}

const isLaunch = (item: WorkItem): item is LaunchItem => item.kind === "launch";

/** An item that is under way here already is not begun twice: its work goes on under the new lease, since the old one settles nothing. */
function takeUp(state: SessionState, work: readonly WorkItem[]): { fresh: WorkItem[]; again: WorkItem[] } {
	const again = work.filter(({ workId }) => state.working.has(workId));
	for (const { workId, leaseId } of again) Object.assign(state.working.get(workId) ?? {}, { leaseId });
	const fresh = work.filter((item) => !again.includes(item));
	for (const item of fresh) state.working.set(item.workId, item);
	return { fresh, again };
}

/** Once an item's end is on its way, the relay may lease it again: that is then new work. */
function lettingGo(relay: Relay, state: SessionState): Relay {
	return {
		...relay,
		settle(results) {
			for (const { workId, leaseId, outcome } of results)
				if (outcome !== "launching" && outcome !== "extend") letGo(state, workId, leaseId);
			return relay.settle(results);
		},
	};
}

function letGo(state: SessionState, workId: string, leaseId: string): void {
	if (state.working.get(workId)?.leaseId === leaseId) state.working.delete(workId);
}

function performOne(ports: Ports, item: WorkItem, read: ReadRun): Promise<OutcomeBody> {
	switch (item.kind) {
		case "check":
			return check(ports, item, read);
		case "rerun":
			return rerun(ports, item);
		case "terminate":
			return terminate(ports, item);
		case "launch":
			throw new Error("launches are done together");
	}
}
