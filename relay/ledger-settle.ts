// What an outcome of the poller does to a job whose launch or check it held. Pure.
import type { Awaited } from "../contract/lease.ts";
import type { LaterClass, Outcome } from "../contract/settle.ts";
import { type Clocks, LIMITS, nextCheck } from "./clocks.ts";
import { enter, isBefore, isEnded, type Job, newSeat } from "./job.ts";
import { factOf, hear, requeue } from "./ledger.ts";
import { endingOf, type Moves, movesOf } from "./moves.ts";
import { type Claim, land, launchKey } from "./swaps.ts";

/** Who else an outcome may touch: by the machine it names, and by the launch it is about. */
export interface Claims {
	machine: Claim;
	launch: Claim;
}
export type Settled = { moves: Moves; stale: string | null };

const settled = (moves: Moves): Settled => ({ moves, stale: null });

/** Applies an outcome. One under another lease changes nothing, except that a machine it names gets an owner or an end (DESIGN 4). */
export function settleJob(job: Job, result: Outcome, claims: Claims, now: number, clocks: Clocks): Settled {
	if (result.outcome === "launched") {
		const moves = land(job, result, claims, now, clocks);
		return { moves, stale: job.lease === result.leaseId ? null : "another lease" };
	}
	const refusal = job.lease === result.leaseId ? misfit(job, result) : isEnded(job) ? `the job is ${job.state}` : "another lease";
	if (refusal !== null) return { moves: movesOf(), stale: refusal };
	if (result.outcome === "notQueued") return settled(hearRead(job, result, claims.machine, now, clocks));
	return settled(applied(job, result, now, clocks));
}

/** Why an outcome does not fit the item that was leased, or null. */
function misfit(job: Job, result: Outcome): string | null {
	const { outcome } = result;
	if (["terminated", "kept", "reran"].includes(outcome)) return `${outcome} is no outcome of this work`;
	if (outcome !== "launching") return null;
	if (!isBefore(job, "launched")) return `the job is ${job.state}`;
	if (job.state === "waiting") return "the job waits for an approval";
	if (!result.members.includes(job.pointer.id)) return "the intent does not name the job";
	return job.intent !== null && job.intent !== result.token ? "another intent was written before" : null;
}

/** A read of GitHub counts as the webhook that says the same; one that changes nothing restarts the clock. */
function hearRead(job: Job, result: Extract<Outcome, { outcome: "notQueued" }>, claim: Claim, now: number, clocks: Clocks): Moves {
	if (job.state === "running" && result.status === "queued") return findQueued(job, now, clocks);
	const fact = factOf({ action: null, ...result });
	const moves = hear(job, fact, claim, now, clocks);
	const jobs = moves.jobs.map((it) => {
		if (it.pointer.id !== job.pointer.id || it.state !== job.state || isEnded(it)) return it;
		const held = fact.stage === "waiting" ? clocks.waiting : clocks.retry;
		const dueAt = it.state === "queued" ? now + held : nextCheck(it.state, now, clocks);
		return { ...it, lease: null, dueAt };
	});
	return { ...moves, jobs };
}

/**
 * A check finds a running job queued: GitHub takes one back whose runner does not pick it up (FACTS 1.10). It is queued again when the next check,
 * some time later, finds the same, and its machine is ended. Only a check's read says so: webhooks and lists come late. What bounds this is that
 * GitHub fails a job that is queued for a day.
 */
function findQueued(job: Job, now: number, clocks: Clocks): Moves {
	const since = job.foundQueuedAt ?? now;
	const dueAt = since + clocks.retry;
	if (now < dueAt) return movesOf({ ...job, foundQueuedAt: since, gone: null, lease: null, dueAt });
	return requeue({ ...job, foundQueuedAt: null, startedAt: null }, now, clocks);
}

type Rest = Exclude<Outcome, { outcome: "launched" | "notQueued" | "terminated" | "kept" | "reran" }>;

function applied(job: Job, result: Outcome, now: number, clocks: Clocks): Moves {
	const rest = result as Rest;
	switch (rest.outcome) {
		case "launching":
			return movesOf(intend(job, rest.token, now, clocks));
		case "extend":
			return movesOf(extend(job, now, clocks));
		case "later":
			return later(job, rest, now, clocks);
		case "refused":
			return close(job, "refused", rest.reason, now, clocks);
		case "gone":
			return gone(job, now, clocks);
		case "failed":
			return failed(job, rest.reason, now, clocks);
	}
}

/** Writes down the launch before it is done. The lease stays. */
function intend(job: Job, token: string, now: number, clocks: Clocks): Job {
	const seat = newSeat(launchKey(job.pointer.id));
	const launching = enter({ ...job, intent: token, seat, gone: null, awaits: undefined }, "launching", "a launch was decided", now, clocks);
	return { ...launching, lease: job.lease, dueAt: now + clocks.lease };
}

function isLaunch(job: Job): boolean {
	return job.state === "queued" || job.state === "launching";
}

function extend(job: Job, now: number, clocks: Clocks): Job {
	if (isLaunch(job)) return { ...job, dueAt: now + clocks.lease };
	return { ...job, lease: null, gone: null, foundQueuedAt: null, dueAt: nextCheck(job.state, now, clocks) };
}

interface Later {
	notBefore: number;
	class: LaterClass;
	reason: string;
	intent?: "kept" | undefined;
	awaits?: Awaited | undefined;
}

/** A launch that must wait gives up its intent, since EC2's answer is final for that token; unless EC2 was not asked or did not answer. */
function later(job: Job, result: Later, now: number, clocks: Clocks): Moves {
	const dueAt = Math.min(Math.max(result.notBefore, now), now + clocks.giveUpAfter);
	if (!isLaunch(job)) return movesOf({ ...job, lease: null, dueAt });
	// A budget of our own may hold a job back for as long as it takes.
	const putOffSince = result.class === "budget" ? job.putOffSince : (job.putOffSince ?? now);
	const unknowns = result.class === "unknown" ? job.unknowns + 1 : job.unknowns;
	const awaits = result.awaits && { what: result.awaits, reason: result.reason };
	const counted: Job = { ...job, unknowns, putOffSince, awaits };
	if (unknowns > LIMITS.unknowns) return close(counted, "dead", `failed ${unknowns} times: ${result.reason}`, now, clocks);
	if (result.class !== "budget" && putOffSince !== null && now - putOffSince >= clocks.giveUpAfter)
		return close(counted, "dead", `given up after waiting for ${result.class}: ${result.reason}`, now, clocks);
	if (result.intent === "kept" && job.intent !== null) return movesOf({ ...counted, reason: result.reason, lease: null, dueAt });
	const back = enter({ ...counted, seat: null, intent: null, gone: null }, "queued", result.reason, now, clocks);
	return movesOf({ ...back, reason: result.reason, dueAt });
}

/** Ends a job from our side; a machine it has is ended with it. */
function close(job: Job, state: "refused" | "dead" | "done", reason: string, now: number, clocks: Clocks): Moves {
	const closed = enter({ ...job, intent: null }, state, reason, now, clocks);
	return { ...movesOf(closed), endings: endingOf(closed.seat, closed, `its job is ${state}`, now) };
}

/** GitHub's 404 is believed after several readings over some minutes: one may be a hiccup or a permission in flux. */
function gone(job: Job, now: number, clocks: Clocks): Moves {
	const counted = { readings: (job.gone?.readings ?? 0) + 1, since: job.gone?.since ?? now };
	const isBelieved = counted.readings >= LIMITS.goneReadings && now - counted.since >= clocks.goneWindow;
	if (isBelieved) return close({ ...job, gone: counted }, "done", "GitHub no longer knows it", now, clocks);
	const dueAt = now + Math.ceil(clocks.goneWindow / (LIMITS.goneReadings - 1));
	const reason = `GitHub did not find it: reading ${counted.readings}, ended after ${LIMITS.goneReadings} over some minutes`;
	return movesOf({ ...job, reason, gone: counted, lease: null, dueAt });
}

/** A boot that came to nothing. A job that GitHub already runs is not launched again: GitHub fails it, and the rerun is another job. */
function failed(job: Job, reason: string, now: number, clocks: Clocks): Moves {
	if (job.state === "running" || job.state === "waiting") return movesOf({ ...job, lease: null, dueAt: now + clocks.retry });
	const failedBoots = job.failedBoots + 1;
	const endings = endingOf(job.seat, job, reason, now);
	if (failedBoots > LIMITS.failedBoots)
		return close({ ...job, failedBoots }, "dead", `${failedBoots} boots failed: ${reason}`, now, clocks);
	const back = enter({ ...job, seat: null, intent: null, failedBoots, gone: null }, "queued", reason, now, clocks);
	return { ...movesOf(back), endings };
}
