// Who really sits where: GitHub gives any job to any runner whose labels match (FACTS 1.10), so a machine made for one job may run
// another. Pure: given the job, who else claims the machine or the launch, and now.
import type { Machine } from "../contract/job.ts";
import type { Clocks } from "./clocks.ts";
import { enter, isBefore, isEnded, isMachine, type Job, newSeat, type Seat, seatOf } from "./job.ts";
import { endingOf, instanceOf, type Moves, movesOf } from "./moves.ts";

/** Who claims a machine, or the machine that a launch will bring: the job seated on it, or the one that keeps it as a spare. */
export interface Claim {
	seated: Job | null;
	kept: Job | null;
}
export const UNCLAIMED: Claim = { seated: null, kept: null };

/** The id of the work item that launches for a job, which also names the seat it will bring. */
export function launchKey(jobId: number): string {
	return `launch-${jobId}`;
}

function isSame(one: Job | null, other: Job | null): boolean {
	return one !== null && one.pointer.id === other?.pointer.id;
}

/** Puts a job into a seat that another one lost, or back into the queue when there is none. No counter moves: nothing failed. */
function reseat(job: Job, seat: Seat | null, reason: string, now: number, clocks: Clocks): Job {
	const state = seat === null ? "queued" : isMachine(seat) ? "launched" : "launching";
	return enter({ ...job, seat, intent: null }, state, reason, now, clocks);
}

/** A seat that its job does not need: kept for the job whose machine was taken instead, and ended if that one never shows. */
function leaveSpare(job: Job, seat: Seat | null, now: number, clocks: Clocks): Moves {
	const endings = endingOf(seat, job, "its job runs on another machine", now + clocks.spareAfter);
	return { ...movesOf(seat ? { ...job, spare: seat } : job), endings };
}

/**
 * GitHub says that `job` runs on the runner of that name; `claim` is who claims that machine so far. The two swap when the job has a
 * machine or a launch of its own; otherwise the one that lost its machine is leasable at once.
 */
export function sitDown(job: Job, runnerName: string | null, claim: Claim, now: number, clocks: Clocks): Moves {
	const instanceId = instanceOf(runnerName);
	if (instanceId === null) return leaveSpare({ ...job, seat: null }, job.seat, now, clocks);
	if (job.seat?.key === instanceId) {
		const sitting = movesOf({ ...job, seat: { ...job.seat, runnerName } });
		// Given up, and run by its machine all the same.
		return { ...sitting, spared: isEnded(job) ? [instanceId] : [] };
	}
	const moves = takeFrom(job, instanceId, runnerName, claim, now, clocks);
	return { ...moves, spared: [instanceId, ...moves.spared] };
}

function takeFrom(job: Job, instanceId: string, runnerName: string | null, claim: Claim, now: number, clocks: Clocks): Moves {
	const { seated, kept } = claim;
	const taken = seated?.seat ?? kept?.spare ?? newSeat(instanceId);
	const sitting: Job = { ...job, seat: { ...taken, runnerName } };
	if (seated && !isEnded(seated) && seated.state !== "running") {
		const reason = `its machine ${instanceId} runs job ${job.pointer.id}`;
		const spared = isMachine(job.seat) ? [job.seat.key] : [];
		return { ...movesOf(reseat(seated, job.seat, reason, now, clocks), sitting), spared };
	}
	if (kept && !isSame(kept, job)) {
		const left = leaveSpare({ ...kept, spare: null }, job.seat, now, clocks);
		return { ...left, jobs: [...left.jobs, sitting] };
	}
	const left = leaveSpare(isSame(kept, job) ? { ...sitting, spare: null } : sitting, job.seat, now, clocks);
	return seated ? { ...left, jobs: [{ ...seated, seat: null }, ...left.jobs] } : left;
}

/**
 * A launch made for `job` brought a machine. `machine.seated` is the job that GitHub already runs on it, `launch.seated` the one that
 * waits for this launch (the job itself unless it swapped). Nobody ends up with two machines, and no machine without a job is left unmarked.
 */
export function land(job: Job, brought: Machine, claims: { machine: Claim; launch: Claim }, now: number, clocks: Clocks): Moves {
	const { machine, launch } = claims;
	if (machine.seated) return landTaken(brought, machine.seated, launch, now, clocks);
	if (machine.kept && !isSame(machine.kept, job)) return movesOf();
	if (launch.seated) return landFor(launch.seated, brought, now, clocks);
	if (launch.kept) return leaveSpare(launch.kept, seatOf(brought, now, launch.kept.spare), now, clocks);
	if (!job.seat && isBefore(job, "launched")) return landFor({ ...job, spare: machine.kept ? null : job.spare }, brought, now, clocks);
	// A job that runs elsewhere took another one's machine: that one may be on its way to this.
	if (job.startedAt !== null && !job.spare) return leaveSpare(job, seatOf(brought, now), now, clocks);
	const reason = isEnded(job) ? `its job is ${job.state}` : "its job has another machine";
	const dueAt = job.startedAt !== null ? now + clocks.spareAfter : now;
	return { ...movesOf(), endings: endingOf(seatOf(brought, now), job, reason, dueAt) };
}

/** Another job took the machine before this settle: its details are filled in, and whoever waits for this launch gets what that job left over. */
function landTaken(brought: Machine, owner: Job, launch: Claim, now: number, clocks: Clocks): Moves {
	const filled: Job = { ...owner, seat: seatOf(brought, now, owner.seat, launch.seated?.seat, launch.kept?.spare) };
	// A spare that is this very launch has landed: it is nobody's any more.
	const left = isSame(launch.kept, owner) ? null : owner.spare;
	const waiting = launch.seated;
	if (waiting && isEnded(waiting)) return movesOf({ ...filled, spare: left }, { ...waiting, seat: null });
	if (waiting) {
		const reason = `its machine ${brought.instanceId} runs job ${owner.pointer.id}`;
		const moves = movesOf({ ...filled, spare: null }, reseat(waiting, left, reason, now, clocks));
		return { ...moves, spared: left ? [left.key] : [] };
	}
	if (launch.kept && !isSame(launch.kept, owner)) return movesOf({ ...filled, spare: null }, { ...launch.kept, spare: left });
	return movesOf({ ...filled, spare: left });
}

function landFor(waiting: Job, brought: Machine, now: number, clocks: Clocks): Moves {
	const seat = seatOf(brought, now, waiting.seat);
	if (isEnded(waiting)) {
		const ended: Job = { ...waiting, seat };
		return { ...movesOf(ended), endings: endingOf(seat, ended, `its job is ${waiting.state}`, now) };
	}
	const launched = enter({ ...waiting, seat, intent: null }, "launched", `${brought.instanceId} was launched for it`, now, clocks);
	return { ...movesOf({ ...launched, unknowns: 0, putOffSince: null }), spared: [brought.instanceId] };
}
