// Facts read from GitHub and EC2, applied level by level; the answer says which machines may stay. Runs inside one transaction.
import type { MachineFact, ObserveAnswer, ObserveRequest, RunFact, Verdict } from "../contract/observe.ts";
import { CLOSED, interrupted } from "./breaker.ts";
import type { Clocks } from "./clocks.ts";
import { wasInterrupted } from "./ledger.ts";
import { hearMachine, isAbsent, isNews, judge, lookSoon } from "./machines.ts";
import { movesOf } from "./moves.ts";
import type { Queue } from "./queue.ts";
import { type Intake, receiveRead } from "./receive.ts";
import { rerunKey } from "./tasks.ts";
import { write } from "./write.ts";

export function observe(queue: Queue, request: ObserveRequest, intake: Intake, now: number): ObserveAnswer {
	for (const read of request.jobs) receiveRead(queue, read, intake, now);
	for (const run of request.runs) observeRun(queue, run, now);
	const machines = request.machines.map((fact) => observeMachine(queue, fact, now, intake.clocks));
	if (!request.complete) return { machines, active: [] };
	missAbsent(queue, new Set(request.machines.map(({ instanceId }) => instanceId)), now, intake.clocks);
	return { machines, active: queue.active() };
}

/** A run that has ended can be rerun now (FACTS 2.5: not before). */
function observeRun(queue: Queue, run: RunFact, now: number): void {
	const task = run.status === "completed" ? queue.task(rerunKey(run.id)) : null;
	if (task && task.dueAt !== null && task.lease === null) queue.saveTask({ ...task, dueAt: now });
}

function observeMachine(queue: Queue, fact: MachineFact, now: number, clocks: Clocks): Verdict {
	// A machine that ended by itself says nothing of a job that ended: EC2 lists it for an hour, and each look would read its job.
	const owner = isNews(fact) ? queue.holder(fact.instanceId) : queue.open.seated(fact.instanceId);
	if (owner) {
		const heard = hearMachine(owner, fact, now, clocks);
		const isTaken = heard.seat?.takenBack === true && !owner.seat?.takenBack;
		const isChanged = heard.dueAt !== owner.dueAt || isTaken;
		if (isTaken) queue.saveSetting("breaker", interrupted(queue.setting("breaker") ?? CLOSED, now, clocks));
		if (isChanged) write(queue, { ...movesOf(heard), interrupted: wasInterrupted(heard) ? [heard] : [] }, now);
	}
	return judge(fact, owner, owner ? null : queue.open.awaiting(fact.token), now, clocks);
}

function missAbsent(queue: Queue, listed: ReadonlySet<string>, now: number, clocks: Clocks): void {
	for (const job of queue.open.all("launched", "running")) {
		const soon = lookSoon(job, isAbsent(job, listed, now, clocks), now, clocks);
		if (soon.dueAt !== job.dueAt) queue.saveJob(soon);
	}
}
