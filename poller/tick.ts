// One lease and its work. The next lease never waits for it; what is under way is counted, so that there is a limit.
import type { Budgets, LaunchItem, WorkItem } from "../contract/lease.ts";
import { check } from "./check.ts";
import { launch } from "./launch.ts";
import { type OutcomeBody, outcomeOf, settle, settleWith } from "./outcome.ts";
import type { Ports } from "./ports.ts";
import { createRunReader, type ReadRun } from "./read-runs.ts";
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
	/** Items under way, by workId. */
	working: Set<string>;
	/** Everything that goes on beside the next lease. */
	underWay: Set<Promise<void>>;
}

export function newSession(session: string): SessionState {
	return { session, leases: 0, working: new Set(), underWay: new Set() };
}

const MOST_LEASED = 100;
/** Launches, mostly: each holds one registration and a few calls. */
const MOST_UNDER_WAY = 300;

/** Leases and starts the work. `superseded`: another session serves. Throws a RelayError; the same lease is then asked for again. */
export async function tick(ports: Ports, state: SessionState, waitSeconds: number): Promise<{ superseded: boolean }> {
	while (state.working.size >= MOST_UNDER_WAY) await Promise.race(state.underWay);
	const max = Math.min(MOST_LEASED, MOST_UNDER_WAY - state.working.size);
	const requestId = `${state.session}-${state.leases}`;
	const {
		work,
		budgets,
		superseded = false,
	} = await ports.relay.lease({ session: state.session, requestId, max, waitSeconds, endsAt: ports.endsAt });
	state.leases += 1;
	if (work.length > 0) runBeside(ports, state, "work", () => perform(ports, state, work, budgets));
	return { superseded };
}

/** Starts something that nobody waits for but the session's end. It never rejects. */
export function runBeside(ports: Ports, state: SessionState, name: string, run: () => Promise<void>): void {
	const running: Promise<void> = run()
		.catch((error: unknown) => ports.log.error({ error: String(error) }, `${name} broke off`))
		.finally(() => state.underWay.delete(running));
	state.underWay.add(running);
}

/** Does each item once. One that is under way here already keeps its new lease until that ends. */
export async function perform(ports: Ports, state: SessionState, work: readonly WorkItem[], budgets: Budgets): Promise<void> {
	const [again, fresh] = [work.filter(isWorking(state)), work.filter((item) => !isWorking(state)(item))];
	for (const item of fresh) state.working.add(item.workId);
	ports.log.debug({ workIds: fresh.map(({ workId }) => workId), again: again.length }, "leased");
	const read = createRunReader(ports.github);
	const launches = fresh.filter((item): item is LaunchItem => item.kind === "launch");
	const inTurn = createTurns(TAGS_AT_A_TIME);
	const beside = (run: () => Promise<void>) => runBeside(ports, state, "tagging", () => inTurn(run));
	const done = (item: WorkItem) => void state.working.delete(item.workId);
	await Promise.all([
		settle(
			ports,
			again.map((item) => outcomeOf(item, { outcome: "extend" })),
		),
		launch(ports, launches, { budgets, read, beside }).finally(() => launches.forEach(done)),
		...fresh.flatMap((item) =>
			item.kind === "launch" ? [] : [settleWith(ports, item, () => performOne(ports, item, read)).finally(() => done(item))],
		),
	]);
}

const isWorking = (state: SessionState) => (item: WorkItem) => state.working.has(item.workId);

function performOne(ports: Ports, item: Exclude<WorkItem, LaunchItem>, read: ReadRun): Promise<OutcomeBody> {
	switch (item.kind) {
		case "check":
			return check(ports, item, read);
		case "rerun":
			return rerun(ports, item);
		case "terminate":
			return terminate(ports, item);
	}
}
