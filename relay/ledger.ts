// The state machine of a job (DESIGN 4): what GitHub says of it moves it forward, never back. Pure.
import type { JobEvent, JobStatus } from "../contract/job.ts";
import type { Clocks } from "./clocks.ts";
import { enter, isBefore, isEnded, type Job, newJob } from "./job.ts";
import { endingOf, instanceOf, type Moves, movesOf } from "./moves.ts";
import { startOf } from "./starts.ts";
import { type Claim, sitDown } from "./swaps.ts";

/** GitHub's word on where a job stands, from a webhook or a read. */
export interface Fact {
	stage: "waiting" | "queued" | "running" | "done";
	conclusion: string | null;
	runnerName: string | null;
	environment: string | null;
}

/**
 * Reads action and status together; the further of the two counts. `queued` with status `waiting` waits for an approval (FACTS 3), and
 * `in_progress` without a runner says nothing yet: GitHub has been seen to take such a job back.
 */
export function factOf(said: {
	action: JobEvent["action"] | null;
	status: JobStatus;
	conclusion: string | null;
	runnerName: string | null;
	environment?: string | null;
}): Fact {
	const rest = { conclusion: said.conclusion, runnerName: said.runnerName || null, environment: said.environment ?? null };
	const words: string[] = [said.action ?? "", said.status];
	if (words.includes("completed")) return { stage: "done", ...rest };
	if (words.includes("in_progress")) return { stage: rest.runnerName ? "running" : "queued", ...rest };
	const isHeld = ["waiting", "requested", "pending"].some((word) => words.includes(word));
	return { stage: isHeld ? "waiting" : "queued", ...rest };
}

const FIRST_WORDS = { waiting: "GitHub holds it back", queued: "GitHub queued it", running: "it began", done: "GitHub completed it" };

/** A job that was unknown until this fact. One that already ended is kept as done, so that a late `queued` launches nothing. */
export function meet(event: Pick<JobEvent, "job" | "createdAt">, fact: Fact, claim: Claim, now: number, clocks: Clocks): Moves {
	const first = fact.stage === "waiting" ? "waiting" : "queued";
	const job = newJob(event.job, event.createdAt, first, FIRST_WORDS[first], now, clocks);
	return fact.stage === first ? movesOf({ ...job, environment: fact.environment }) : hear(job, fact, claim, now, clocks);
}

/** Applies a fact to a known job. `claim` is who claims the machine named by the fact's runner. */
export function hear(job: Job, fact: Fact, claim: Claim, now: number, clocks: Clocks): Moves {
	const known: Job = { ...job, environment: job.environment ?? fact.environment, gone: null };
	if (fact.stage === "running" && known.foundQueuedAt) known.foundQueuedAt = null;
	switch (fact.stage) {
		case "waiting":
			return movesOf(known);
		case "queued":
			return movesOf(known.state === "waiting" ? enter(known, "queued", FIRST_WORDS.queued, now, clocks) : known);
		case "running":
			return hearRunning(known, fact, claim, now, clocks);
		case "done":
			return hearDone(known, fact, claim, now, clocks);
	}
}

/** A job we refused or gave up, and which a runner of ours took all the same. */
function ranAnyway(job: Job, fact: Fact): boolean {
	return (job.state === "refused" || job.state === "dead") && instanceOf(fact.runnerName) !== null;
}

/** One that ended stays ended. */
function mayRun(job: Job, fact: Fact): boolean {
	if (ranAnyway(job, fact)) return true;
	return isBefore(job, "running") || (job.state === "running" && isElsewhere(job, fact));
}

function isElsewhere(job: Job, fact: Fact): boolean {
	const instanceId = instanceOf(fact.runnerName);
	return instanceId !== null && instanceId !== job.seat?.key;
}

function hearRunning(job: Job, fact: Fact, claim: Claim, now: number, clocks: Clocks): Moves {
	if (!mayRun(job, fact)) return movesOf(job);
	const seated = sitDown(job, fact.runnerName, claim, now, clocks);
	return withJob(seated, job.pointer.id, (it) => ({
		...enter({ ...it, intent: null }, "running", `${fact.runnerName} runs it`, now, clocks),
		startedAt: it.startedAt ?? now,
	}));
}

function hearDone(job: Job, fact: Fact, claim: Claim, now: number, clocks: Clocks): Moves {
	if (job.state === "done") return movesOf({ ...job, conclusion: job.conclusion ?? fact.conclusion });
	if (isEnded(job) && !ranAnyway(job, fact)) return movesOf({ ...job, conclusion: fact.conclusion });
	const ran = fact.runnerName !== null || job.state === "running";
	const seated = isElsewhere(job, fact) && !ranItself(claim.seated) ? sitDown(job, fact.runnerName, claim, now, clocks) : movesOf(job);
	const moves = withJob(seated, job.pointer.id, (it) => finish(it, fact, ran, now, clocks));
	const ended = moves.jobs.find((it) => it.pointer.id === job.pointer.id) ?? job;
	// Cancelled before a runner took it: its machine would listen for nothing.
	if (!ran) return { ...moves, endings: [...moves.endings, ...endingOf(ended.seat, ended, "its job ended before it ran", now)] };
	const interrupted = wasInterrupted(ended) ? [ended] : [];
	// The machine's own report of the start was lost.
	const start = startOf(ended, {}, now);
	if (!start) return { ...moves, interrupted };
	return { ...withJob(moves, job.pointer.id, (it) => ({ ...it, told: true })), interrupted, started: [start] };
}

/** A machine runs one job: one that names the machine of a job which ran there to its end is that job's copy in a rerun (FACTS 3). */
function ranItself(seated: Job | null): boolean {
	return seated?.state === "done" && seated.startedAt !== null;
}

function finish(job: Job, fact: Fact, ran: boolean, now: number, clocks: Clocks): Job {
	const reason = fact.conclusion ? `GitHub completed it: ${fact.conclusion}` : FIRST_WORDS.done;
	const done = enter({ ...job, intent: null, conclusion: fact.conclusion }, "done", reason, now, clocks);
	return { ...done, finishedAt: ran ? now : job.finishedAt };
}

/** Whether a job ended because EC2 took its machine: GitHub records a failure then (FACTS 1.7), or a cancellation. */
export function wasInterrupted(job: Job): boolean {
	const failed = job.conclusion === "failure" || job.conclusion === "cancelled";
	return job.state === "done" && failed && (job.seat?.interrupted ?? false);
}

/** A job that we had refused or given up, queued again by GitHub under a new delivery, or one that it took back from a machine: from the start. What it had is ended, if that was not done. */
export function requeue(job: Job, now: number, clocks: Clocks): Moves {
	const cleared: Job = { ...job, seat: null, spare: null, intent: null, failedBoots: 0, unknowns: 0, putOffSince: null, gone: null };
	const endings = [job.seat, job.spare].flatMap((seat) => endingOf(seat, job, "its job was queued again", now));
	return { ...movesOf(enter(cleared, "queued", "GitHub queued it again", now, clocks)), endings };
}

function withJob(moves: Moves, id: number, change: (job: Job) => Job): Moves {
	return { ...moves, jobs: moves.jobs.map((job) => (job.pointer.id === id ? change(job) : job)) };
}
