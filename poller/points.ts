// Keeps what one session asks of GitHub within its share of GitHub's points, by waiting: GitHub counts 900 a minute for each App, 5 for a
// change and 1 for a read (FACTS 2.8). The relay grants 110 registrations a minute (relay/budgets.ts), 550 points; this sees to it that
// they are also made at that pace, however long their machines took, and that all the rest stays below 250.
import { ALWAYS, createLane, isShared, type PaceOptions, SHARED_MS } from "./lane.ts";
import type { GitHub, Room } from "./ports.ts";

const MINUTE_MS = 60_000;
const READ = 1;
const CHANGE = 5;

type Life = Pick<PaceOptions, "begunAt" | "endsAt">;

/** Points for reads and changes in the minute that ends now. Two sessions together stay within 250. Pure. */
export function pointsAt(now: number, life: Life): number {
	return isShared(now, life, MINUTE_MS) ? 125 : 250;
}

/** Registrations in the minute that ends now. A session that ends has been handed out few of late; with the 110 of its successor and all the rest they are 900 points. Pure. */
export function registrationsAt(now: number, { endsAt }: Life): number {
	return endsAt - now < SHARED_MS ? 20 : 110;
}

/** Webhooks in the minute that ends now that are asked to be sent again: a fifth of the points, so that no launch waits for them. Pure. */
export function redeliveriesAt(now: number, life: Life): number {
	return Math.floor(pointsAt(now, life) / 5 / CHANGE);
}

/** The same calls, each made once there is room for it: for every page of a list, as it is asked for. */
export function paced(github: GitHub, options: PaceOptions): GitHub {
	const points = createLane(options, MINUTE_MS, () => pointsAt(options.now(), options));
	const registrations = createLane(options, MINUTE_MS, () => registrationsAt(options.now(), options));
	const after = async <T>(cost: number, call: () => Promise<T>): Promise<T> => {
		await points(cost);
		return call();
	};
	const page: Room = () => points(READ);
	return {
		run: (...it) => after(READ, () => github.run(...it)),
		attemptJobs: (at, runId, attempt) => after(READ, () => github.attemptJobs(at, runId, attempt, page)),
		openRuns: (...it) => after(2 * READ, () => github.openRuns(...it)),
		job: (...it) => after(READ, () => github.job(...it)),
		async createRunner(scope, request, still = ALWAYS) {
			await registrations(1);
			return (await still()) ? github.createRunner(scope, request) : "let go";
		},
		findRunner: (...it) => after(READ, () => github.findRunner(...it)),
		runners: (scope) => after(READ, () => github.runners(scope, page)),
		deleteRunner: (...it) => after(CHANGE, () => github.deleteRunner(...it)),
		rerunFailedJobs: (...it) => after(CHANGE, () => github.rerunFailedJobs(...it)),
		rerunJob: (...it) => after(CHANGE, () => github.rerunJob(...it)),
		cancelRun: (...it) => after(CHANGE, () => github.cancelRun(...it)),
		runnerGroup: (...it) => after(READ, () => github.runnerGroup(...it)),
		approvals: (...it) => after(READ, () => github.approvals(...it)),
		deliveriesSince: (moment) => after(READ, () => github.deliveriesSince(moment, page)),
		runnerReleases: (...it) => after(2 * READ, () => github.runnerReleases(...it)),
		redeliver: (...it) => after(CHANGE, () => github.redeliver(...it)),
	};
}
