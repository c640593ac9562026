// Keeps what one session asks of GitHub within its share of GitHub's points, by waiting: GitHub counts 900 a minute for each App, 5 for a
// change and 1 for a read (FACTS 2.8). Registrations are paid for by the lease that handed the launch out (relay/budgets.ts, 120 a minute,
// 600 points); this is for all the rest, and for registrations that are tried again.
import type { GitHub } from "./ports.ts";

/** For each minute of a session. */
export const POINTS_A_MINUTE = 250;
/** While another session may still be at work, at the beginning and at the end: both together stay within the share. */
const SHARED_A_MINUTE = 125;
const SHARED_MS = 105_000;
const MINUTE_MS = 60_000;
const READ = 1;
const CHANGE = 5;

export interface PaceOptions {
	now(): number;
	sleep(ms: number): Promise<void>;
	/** Epoch ms. */
	begunAt: number;
	endsAt: number;
}

/** The points that may be spent in a minute that contains this moment. Pure. */
export function shareAt(now: number, { begunAt, endsAt }: Pick<PaceOptions, "begunAt" | "endsAt">): number {
	const isShared = now - begunAt < SHARED_MS + MINUTE_MS || endsAt - now < SHARED_MS;
	return isShared ? SHARED_A_MINUTE : POINTS_A_MINUTE;
}

/** The same calls, each made once there is room for it. In the order in which they are asked for. */
export function paced(github: GitHub, options: PaceOptions): GitHub {
	const { now, sleep } = options;
	const spent: { at: number; points: number }[] = [];
	const registered = new Set<string>();
	let turn = Promise.resolve();

	async function waitForRoom(points: number): Promise<void> {
		for (;;) {
			while ((spent[0]?.at ?? Number.POSITIVE_INFINITY) <= now() - MINUTE_MS) spent.shift();
			const sum = spent.reduce((total, it) => total + it.points, 0);
			if (spent.length === 0 || sum + points <= shareAt(now(), options)) break;
			await sleep((spent[0]?.at ?? 0) + MINUTE_MS - now());
		}
		spent.push({ at: now(), points });
	}
	async function after<T>(points: number, call: () => Promise<T>): Promise<T> {
		if (points > 0) {
			turn = turn.then(() => waitForRoom(points));
			await turn;
		}
		return call();
	}
	return {
		run: (...it) => after(READ, () => github.run(...it)),
		attemptJobs: (...it) => after(READ, () => github.attemptJobs(...it)),
		openRuns: (...it) => after(2 * READ, () => github.openRuns(...it)),
		job: (...it) => after(READ, () => github.job(...it)),
		createRunner(scope, request) {
			const isPaid = !registered.has(request.name);
			registered.add(request.name);
			return after(isPaid ? 0 : CHANGE, () => github.createRunner(scope, request));
		},
		findRunner: (...it) => after(READ, () => github.findRunner(...it)),
		deleteRunner: (...it) => after(CHANGE, () => github.deleteRunner(...it)),
		rerunFailedJobs: (...it) => after(CHANGE, () => github.rerunFailedJobs(...it)),
		deliveriesSince: (...it) => after(READ, () => github.deliveriesSince(...it)),
		redeliver: (...it) => after(CHANGE, () => github.redeliver(...it)),
	};
}
