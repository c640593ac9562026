// The ledger's rules (DESIGN 4), each held against scripts that say anything in any order, with restarts in between.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { JobState } from "../../contract/job.ts";
import type { Intent, LaunchItem } from "../../contract/lease.ts";
import { DEFAULT_CLOCKS as clocks, LIMITS } from "../../relay/clocks.ts";
import { isEnded, type Job } from "../../relay/job.ts";
import { type Came, type Scripted, scripted } from "./script/scripted.ts";
import { JOBS, type Step, script } from "./script/steps.ts";

const ENDS: readonly JobState[] = ["done", "refused", "dead"];
const LAUNCHABLE: readonly JobState[] = ["queued", "launching"];

/** Outcomes after which nobody has to end a machine any more, or only the sweep. */
const RELEASES = ["terminated", "gone", "kept", "refused", "failed"];

type Jobs = Map<number, Job>;
/** One step of a script, with every job before and after it. */
interface Turn {
	it: Scripted;
	step: Step;
	came: Came;
	before: Jobs;
	after: Jobs;
}

function jobsOf(it: Scripted): Jobs {
	const ids = Array.from({ length: JOBS }, (_, at) => at + 1);
	return new Map(ids.flatMap((id) => [it.queue().job(id)]).flatMap((job) => (job ? [[job.pointer.id, job]] : [])));
}

/** Runs scripts and asks after each step; `rule` is made anew for each script, so that it may remember. */
function holds(rule: () => (turn: Turn) => void, maxOpenJobs?: number, over?: (it: Scripted) => void): void {
	const run = (steps: Step[]) => {
		const it = scripted(maxOpenJobs);
		const asked = rule();
		let before = jobsOf(it);
		for (const step of steps) {
			const came = it.say(step);
			const after = jobsOf(it);
			asked({ it, step, came, before, after });
			before = after;
		}
		over?.(it);
	};
	fc.assert(fc.property(script, run), { numRuns: 400 });
}

function launchesOf(came: Came): LaunchItem[] {
	return came.kind === "leased" ? came.work.filter((item) => item.kind === "launch") : [];
}

/** The job that a settle which counted was about. */
function settledJob({ came }: Turn): number | null {
	if (came.kind !== "settled" || came.answer.stale[came.result.workId]) return null;
	return Number(/^(?:launch|check)-(.*)$/.exec(came.result.workId)?.[1] ?? 0);
}

/** Whether a check was settled by a read of a queued job. */
function isReadQueued({ came }: Turn): boolean {
	return came.kind === "settled" && came.result.outcome === "notQueued" && came.result.status === "queued";
}

/** Whether GitHub queued a job again that had been given up, or that ran. */
function isRequeued(turn: Turn, id: number): boolean {
	const { came, before } = turn;
	const state = before.get(id)?.state;
	if (state === "running") return isReadQueued(turn) && settledJob(turn) === id;
	return (
		came.kind === "heard" && came.receipt === "accepted" && came.delivery.event.job.id === id && (state === "refused" || state === "dead")
	);
}

describe("whatever is said in whatever order", () => {
	test("a job that waits never waits again, one that runs is queued again by a second check that finds it queued alone, and one that is done stays done", () => {
		holds(() => {
			const found = new Map<number, number>();
			return (turn) => {
				const { it, before, after } = turn;
				for (const [id, { state }] of before) {
					const now = after.get(id)?.state ?? "waiting";
					const isFound = isReadQueued(turn) && settledJob(turn) === id;
					if (state === "running" && now === "queued") {
						expect(isFound).toBe(true);
						expect(it.now() - (found.get(id) ?? it.now())).toBeGreaterThanOrEqual(clocks.retry);
					} else if (state === "running" && now !== state) expect(ENDS).toContain(now);
					if (now !== "running") found.delete(id);
					else if (isFound) found.set(id, found.get(id) ?? it.now());
					if (now === state) continue;
					expect(now).not.toBe("waiting");
					expect(state).not.toBe("done");
				}
			};
		});
	}, 60_000);

	test("every job that has not ended is looked at within six hours, and one that has ended never", () => {
		const assertChecked = ({ it, after }: Turn) => {
			for (const job of after.values()) {
				expect(isEnded(job)).toBe(ENDS.includes(job.state));
				expect(job.dueAt ?? 0).toBeLessThanOrEqual(it.now() + clocks.giveUpAfter);
			}
		};
		const assertHandedOut = (it: Scripted) => {
			it.say({ kind: "turn", pause: false, drain: false });
			it.say({ kind: "wait", milliseconds: clocks.giveUpAfter });
			const came = it.lease();
			const asked =
				came.kind === "leased" ? came.work.flatMap((item) => (item.kind === "launch" || item.kind === "check" ? [item.job.id] : [])) : [];
			const open = [...jobsOf(it).values()].filter((job) => !isEnded(job)).map(({ pointer }) => pointer.id);
			expect(asked.toSorted()).toEqual(open);
		};
		holds(() => assertChecked, undefined, assertHandedOut);
	}, 60_000);

	test("an intent is handed out again to the letter for as long as its launch is open, and no other is taken for it", () => {
		holds(() => {
			const written = new Map<number, { intent: Intent; since: number }>();
			return (turn) => {
				const { came, after } = turn;
				const isIntent = came.kind === "settled" && came.result.outcome === "launching";
				const id = settledJob(turn);
				// Once it brought a machine a launch is over, whoever got the machine.
				if (came.kind === "settled" && came.result.outcome === "launched")
					written.delete(Number(came.result.workId.replace("launch-", "")));
				for (const [job, { intent, since }] of written) {
					const record = after.get(job);
					if (record?.state !== "launching" || record.history.length !== since) written.delete(job);
					else expect(record.intent).toBe(intent.token);
				}
				for (const item of launchesOf(came)) {
					const kept = written.get(item.job.id);
					if (kept) expect(item.intent).toEqual(kept.intent);
				}
				if (!isIntent || id === null || came.result.outcome !== "launching") return;
				const { token, members, request } = came.result;
				const kept = written.get(id);
				if (kept) expect({ token, members, request }).toEqual(kept.intent);
				written.set(id, { intent: { token, members, request }, since: after.get(id)?.history.length ?? 0 });
			};
		});
	}, 60_000);

	test("nothing is launched for a job unless it is queued or its launch is open", () => {
		holds(() => ({ came, before }) => {
			for (const { job } of launchesOf(came)) expect(LAUNCHABLE).toContain(before.get(job.id)?.state ?? "done");
		});
	}, 60_000);

	test("no two jobs hold one machine, and none that a job waits for or runs on is marked for its end", () => {
		holds(() => ({ it, after }) => {
			const needed = [...after.values()].filter(({ state }) => state === "launched" || state === "running");
			const marked = needed.filter(({ seat }) => seat && it.queue().task(`terminate-${seat.key}`) !== null);
			expect(marked.map(({ pointer, state, seat }) => [pointer.id, state, seat?.key])).toEqual([]);
			const seats = [...after.values()].flatMap(({ seat, spare }) => [seat?.key, spare?.key]).filter((key) => key !== undefined);
			expect(seats.length).toBe(new Set(seats).size);
		});
	}, 60_000);

	test("only a failed boot counts as one, the fourth ends the job, and only a machine or GitHub's queueing it again sets the rest back", () => {
		holds(() => (turn) => {
			const { came, before, after, it } = turn;
			const result = came.kind === "settled" ? came.result : null;
			const about = settledJob(turn);
			for (const [id, job] of after) {
				const was = before.get(id) ?? { failedBoots: 0, unknowns: 0, putOffSince: null, state: "queued" };
				const isLaunch = LAUNCHABLE.includes(was.state as JobState);
				const isOurs = about === id;
				const isFailed = isOurs && result?.outcome === "failed" && (isLaunch || was.state === "launched");
				const later = isOurs && isLaunch && result?.outcome === "later" ? result.class : null;
				const isFresh = isRequeued(turn, id) && job.state === "queued";
				const isLanded = result?.outcome === "launched" && job.state === "launched";
				expect(job.failedBoots).toBe(isFresh ? 0 : was.failedBoots + (isFailed ? 1 : 0));
				if (!isLanded) expect(job.unknowns).toBe(isFresh ? 0 : was.unknowns + (later === "unknown" ? 1 : 0));
				if (!isLanded && !isFresh)
					expect(job.putOffSince).toBe(later !== null && later !== "budget" ? (was.putOffSince ?? it.now()) : was.putOffSince);
				const isOver = {
					failed: job.failedBoots > LIMITS.failedBoots,
					later: job.unknowns > LIMITS.unknowns || (job.putOffSince !== null && it.now() - job.putOffSince >= clocks.giveUpAfter),
				};
				if (isFailed) expect(job.state === "dead").toBe(isOver.failed);
				else if (later) expect(job.state === "dead").toBe(isOver.later && later !== "budget");
				else if (job.state === "dead") expect(was.state).toBe("dead");
			}
		});
	}, 60_000);

	test("a machine that was named, by a settle that is stale or not, has an owner or a mark until its end is settled", () => {
		holds(() => {
			const named = new Set<string>();
			const gone = new Set<string>();
			return ({ it, came }) => {
				const result = came.kind === "settled" ? came.result : null;
				const isCounted = result !== null && came.kind === "settled" && !came.answer.stale[result.workId];
				if (result?.outcome === "launched" && !gone.has(result.instanceId)) named.add(result.instanceId);
				const isReleased = isCounted && RELEASES.includes(result.outcome);
				if (isReleased && result.workId.startsWith("terminate-")) {
					const id = result.workId.slice("terminate-".length);
					named.delete(id);
					if (result.outcome === "terminated" || result.outcome === "gone") gone.add(id);
				}
				for (const id of named) {
					const { seated, kept } = it.queue().claim(id);
					expect([id, seated !== null || kept !== null || it.queue().task(`terminate-${id}`) !== null]).toEqual([id, true]);
				}
			};
		});
	}, 60_000);

	test("a delivery is taken once, and copies of any leave every job as it would be without them", () => {
		const run = (steps: Step[]) => {
			const [all, once] = [scripted(), scripted()];
			const taken: string[] = [];
			for (const step of steps.filter(({ kind }) => kind !== "turn")) {
				const came = all.say(step);
				if (came.kind === "heard" && came.receipt === "accepted") taken.push(came.delivery.id);
				if (step.kind !== "again") once.say(step);
			}
			expect(taken.length).toBe(new Set(taken).size);
			expect(jobsOf(all)).toEqual(jobsOf(once));
		};
		fc.assert(fc.property(script, run), { numRuns: 400 });
	}, 60_000);

	const CAP = 2;
	test("the cap refuses new jobs alone, and what it refused is taken when it comes again and there is room", () => {
		holds(
			() => (turn) => {
				const { came, before, after } = turn;
				if (came.kind !== "heard") return;
				const { event } = came.delivery;
				const open = [...before.values()].filter((job) => !isEnded(job)).length;
				const words: (string | null)[] = [event.action, event.status];
				const isEndOrStart = words.includes("completed") || (words.includes("in_progress") && event.runnerName !== null);
				const isNew = !before.has(event.job.id) && !isEndOrStart;
				if (came.receipt === "full") expect([isNew, open >= CAP, after.has(event.job.id)]).toEqual([true, true, false]);
				if (came.receipt === "draining") expect([isNew, after.has(event.job.id)]).toEqual([true, false]);
				if (!before.has(event.job.id) && came.receipt === "duplicate") throw new Error("a delivery that was refused was taken for known");
				if (isNew && came.receipt === "accepted") expect(open).toBeLessThan(CAP);
			},
			CAP,
		);
	}, 60_000);
});
