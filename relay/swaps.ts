// Who really sits where: GitHub gives any job to any runner whose labels match (FACTS 1.10), so a machine made for one job may run
// another. Pure: given the job, the job that holds the machine, and now.
import type { Machine } from "../contract/job.ts";
import type { Clocks } from "./clocks.ts";
import { enter, isBefore, isEnded, isMachine, type Job, newSeat, type Seat, seatOf } from "./job.ts";
import { endingOf, instanceOf, type Moves, movesOf } from "./moves.ts";

/** The id of the work item that launches for a job, which also names the seat it will bring. */
export function launchKey(jobId: number): string {
	return `launch-${jobId}`;
}

/** Puts a job into a seat that another one lost, or back into the queue when there is none. No counter moves: nothing failed. */
export function reseat(job: Job, seat: Seat | null, reason: string, now: number, clocks: Clocks): Job {
	const state = seat === null ? "queued" : isMachine(seat) ? "launched" : "launching";
	return enter({ ...job, seat, intent: null }, state, reason, now, clocks);
}

/** A seat that its job does not need: kept for the job whose machine was taken instead, and ended if that one never shows. */
function leaveSpare(job: Job, seat: Seat | null, now: number, clocks: Clocks): Moves {
	if (!seat) return movesOf(job);
	const endings = endingOf(seat, job, "its job runs on another machine", now + clocks.spareAfter);
	return { ...movesOf({ ...job, spare: seat }), endings };
}

/**
 * GitHub says that `job` runs on the runner of that name. `owner` is the job that holds this machine so far. The two swap when the job
 * has a machine or a launch of its own; otherwise the owner is leasable at once.
 */
export function sitDown(job: Job, runnerName: string | null, owner: Job | null, now: number, clocks: Clocks): Moves {
	const instanceId = instanceOf(runnerName);
	if (instanceId === null) return leaveSpare({ ...job, seat: null }, job.seat, now, clocks);
	if (job.seat?.key === instanceId) return movesOf({ ...job, seat: { ...job.seat, runnerName } });
	const seat = { ...(owner?.seat ?? newSeat(instanceId)), runnerName };
	const seated: Job = { ...job, seat };
	if (!owner) return withSpared(leaveSpare(seated, job.seat, now, clocks), instanceId);
	if (isEnded(owner) || owner.state === "running") {
		const left = leaveSpare(seated, job.seat, now, clocks);
		return withSpared({ ...left, jobs: [{ ...owner, seat: null }, ...left.jobs] }, instanceId);
	}
	const reason = `its machine ${instanceId} runs job ${job.pointer.id}`;
	return withSpared(movesOf(reseat(owner, job.seat, reason, now, clocks), seated), instanceId);
}

function withSpared(moves: Moves, instanceId: string): Moves {
	return { ...moves, spared: [...moves.spared, instanceId] };
}

/**
 * A launch made for `job` brought a machine. `owner` is the job that GitHub already runs on it, `holder` the one that waits for this
 * launch (the job itself unless it swapped). Nobody ends up with two machines, and no machine without a job is left unmarked.
 */
export function land(job: Job, machine: Machine, owner: Job | null, holder: Job | null, now: number, clocks: Clocks): Moves {
	if (owner) return landTaken(job, machine, owner, holder, now, clocks);
	if (holder) return landFor(holder, machine, now, clocks);
	if (!job.seat && isBefore(job, "launched")) return landFor(job, machine, now, clocks);
	// A job that runs elsewhere took another one's machine: that one may be on its way to this.
	if (job.startedAt !== null) return leaveSpare(job, seatOf(machine, now), now, clocks);
	const reason = isEnded(job) ? `its job is ${job.state}` : "its job has another machine";
	return { ...movesOf(job), endings: endingOf(seatOf(machine, now), job, reason, now) };
}

/** Another job took the machine before this settle: its details are filled in, and whoever waits for this launch gets what that job left over. */
function landTaken(job: Job, machine: Machine, owner: Job, holder: Job | null, now: number, clocks: Clocks): Moves {
	const seat = seatOf(machine, now, owner.seat);
	// The launch has landed, so it is nobody's spare any more.
	const left = owner.spare?.key === launchKey(job.pointer.id) ? null : owner.spare;
	const reason = `its machine ${machine.instanceId} runs job ${owner.pointer.id}`;
	if (holder && isEnded(holder)) return movesOf({ ...owner, seat, spare: left }, { ...holder, seat: null });
	if (holder) {
		const moves = movesOf({ ...owner, seat, spare: null }, reseat(holder, left, reason, now, clocks));
		return { ...moves, spared: left ? [left.key] : [] };
	}
	const isOwed = job.pointer.id !== owner.pointer.id && job.spare?.key === launchKey(job.pointer.id);
	if (isOwed) return movesOf({ ...owner, seat, spare: null }, { ...job, spare: left });
	return movesOf({ ...owner, seat, spare: left });
}

function landFor(holder: Job, machine: Machine, now: number, clocks: Clocks): Moves {
	const seat = seatOf(machine, now, holder.seat);
	if (isEnded(holder)) {
		const ended: Job = { ...holder, seat };
		return { ...movesOf(ended), endings: endingOf(seat, ended, `its job is ${holder.state}`, now) };
	}
	const launched = enter({ ...holder, seat, intent: null }, "launched", `${machine.instanceId} was launched for it`, now, clocks);
	return { ...movesOf({ ...launched, unknowns: 0, putOffSince: null }), spared: [machine.instanceId] };
}
