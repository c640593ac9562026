// A fact about a job comes in, from a webhook or from a read: known or new, seen before or not. Runs inside one transaction.
import type { JobEvent } from "../contract/job.ts";
import type { JobFact } from "../contract/observe.ts";
import type { Clocks } from "./clocks.ts";
import { isEnded, type Job } from "./job.ts";
import { type Fact, factOf, hear, meet, requeue } from "./ledger.ts";
import { instanceOf, type Moves } from "./moves.ts";
import type { Queue } from "./queue.ts";
import { type Claim, UNCLAIMED } from "./swaps.ts";
import { isRerun, rerunKey } from "./tasks.ts";
import { write } from "./write.ts";

export interface Delivery {
	/** `X-GitHub-Delivery`: the same on a redelivery (FACTS 2.6). */
	id: string;
	event: JobEvent;
}
export type Receipt = "accepted" | "duplicate" | "full" | "draining";
export interface Intake {
	maxOpenJobs: number;
	clocks: Clocks;
}

/** Who claims the machine named by a runner. */
export function claimOf(queue: Queue, runnerName: string | null): Claim {
	const instanceId = instanceOf(runnerName);
	return instanceId === null ? UNCLAIMED : queue.claim(instanceId);
}

/** How many jobs that are not known yet are taken in for now. */
export function roomOf(queue: Queue, { maxOpenJobs }: Intake): number {
	return queue.setting("switches")?.drain ? 0 : Math.max(0, maxOpenJobs - queue.open.size);
}

/** Why a job that is not known yet is not taken in. Ends are always taken, so that a late `queued` launches nothing. */
function refusalOf(queue: Queue, fact: Fact, intake: Intake): Receipt | null {
	if (fact.stage === "running" || fact.stage === "done") return null;
	if (roomOf(queue, intake) > 0) return null;
	return queue.setting("switches")?.drain ? "draining" : "full";
}

function meetNew(queue: Queue, event: Pick<JobEvent, "job" | "createdAt">, fact: Fact, now: number, clocks: Clocks): Moves {
	const moves = meet(event, fact, claimOf(queue, fact.runnerName), now, clocks);
	// Only a later attempt can be one.
	if (event.job.attempt === 1 || !isRerun(event.job, queue.task(rerunKey(event.job.runId)))) return moves;
	return { ...moves, jobs: moves.jobs.map((job) => (job.pointer.id === event.job.id ? { ...job, onDemand: true } : job)) };
}

function hearKnown(queue: Queue, job: Job, fact: Fact, now: number, clocks: Clocks): Moves {
	const isAgain = fact.stage === "queued" && (job.state === "refused" || job.state === "dead");
	if (isAgain) return requeue({ ...job, environment: job.environment ?? fact.environment }, now, clocks);
	return hear(job, fact, claimOf(queue, fact.runnerName), now, clocks);
}

/** Takes in one signed delivery. What it says is stored before anyone is told that it was accepted. */
export function receive(queue: Queue, delivery: Delivery, intake: Intake, now: number): Receipt {
	const { event } = delivery;
	const fact = factOf(event);
	const job = queue.job(event.job.id);
	const mark = [event.action, event.status, fact.runnerName ?? ""].join("/");
	if (isKnown(queue, job, delivery.id)) return duplicate(queue);
	const isRequeued = job !== null && fact.stage === "queued" && isEnded(job) && job.state !== "done";
	if (job?.heard.includes(mark) && !isRequeued) {
		// Its id is kept, so that the same copy does not queue the job again once it was refused.
		queue.saveJob(marked(job, mark, delivery.id));
		return duplicate(queue);
	}
	const refusal = job ? null : refusalOf(queue, fact, intake);
	if (refusal) return refusal;
	const moves = job ? hearKnown(queue, job, fact, now, intake.clocks) : meetNew(queue, event, fact, now, intake.clocks);
	const jobs = moves.jobs.map((it) => (it.pointer.id === event.job.id ? marked(it, mark, delivery.id) : it));
	write(queue, { ...moves, jobs }, now);
	queue.remember(delivery.id);
	queue.counters.deliveries += 1;
	return "accepted";
}

function duplicate(queue: Queue): Receipt {
	queue.counters.deliveries += 1;
	queue.counters.duplicates += 1;
	return "duplicate";
}

function isKnown(queue: Queue, job: Job | null, delivery: string): boolean {
	return queue.isRecent(delivery) || (job?.deliveries.includes(delivery) ?? false);
}

/** Enough marks for every delivery that GitHub sends of one job; a flood of others forgets the oldest. */
const MARKS = 32;

function marked(job: Job, mark: string, deliveryId: string): Job {
	const heard = job.heard.includes(mark) ? job.heard : [...job.heard, mark].slice(-MARKS);
	return { ...job, heard, deliveries: [...job.deliveries, deliveryId].slice(-MARKS) };
}

/** Whether two records say the same. Most share all their parts. */
function isAlike(one: Job | undefined, other: Job): boolean {
	const isShared = Object.keys(other).every((key) => one?.[key as keyof Job] === other[key as keyof Job]);
	return isShared || JSON.stringify(one) === JSON.stringify(other);
}

/** Most reads say what is known: they write no row. */
function hearRead(queue: Queue, job: Job, fact: Fact, now: number, clocks: Clocks): void {
	const moves = hear(job, fact, claimOf(queue, fact.runnerName), now, clocks);
	const [same] = moves.jobs;
	const isNews = moves.jobs.length !== 1 || moves.endings.length > 0 || !isAlike(same, job);
	if (isNews) write(queue, moves, now);
}

const FOUND = "a look at GitHub found it queued: no webhook told of it";

/** A record that has just begun, with how it became known. */
function discovered(moves: Moves, id: number): Moves {
	const found = (job: Job): Job => ({
		...{ ...job, source: "discovery", reason: FOUND },
		history: job.history.map((change) => ({ ...change, reason: FOUND })),
	});
	return { ...moves, jobs: moves.jobs.map((job) => (job.pointer.id === id ? found(job) : job)) };
}

/** Applies a read of GitHub. An unknown job is taken in only if it waits for a machine: its webhook was lost. */
export function receiveRead(queue: Queue, read: JobFact, intake: Intake, now: number): void {
	const fact = factOf({ action: null, ...read });
	const job = queue.job(read.job.id);
	const isNew = read.status === "queued" && !refusalOf(queue, fact, intake);
	// Its 404s were GitHub's mistake, or the App may see the repository again.
	const isBack = job?.state === "done" && job.gone !== null && read.status === "queued";
	if (job && isBack) write(queue, requeue(job, now, intake.clocks), now);
	else if (job) hearRead(queue, job, fact, now, intake.clocks);
	else if (isNew) write(queue, discovered(meetNew(queue, read, fact, now, intake.clocks), read.job.id), now);
}
