// Which work is due, and its lease: pointers handed to the poller. Runs inside one transaction.
import type { JobState } from "../contract/job.ts";
import type { LeaseAnswer, LeaseRequest, WorkItem } from "../contract/lease.ts";
import type { Switches } from "../contract/switches.ts";
import { CLOSED, isOpen } from "./breaker.ts";
import { fullBucket, leftOf, oneLeftAt, refilled, spend, spent } from "./budgets.ts";
import { type Caps, createRoom } from "./caps.ts";
import { type Clocks, JIT_CALLS_A_MINUTE, RATES } from "./clocks.ts";
import type { Job } from "./job.ts";
import type { Waiting } from "./open-jobs.ts";
import type { Queue } from "./queue.ts";
import type { Budgets } from "./setting-rows.ts";
import { launchKey } from "./swaps.ts";
import type { Task } from "./tasks.ts";

const ALL_OFF: Switches = { pause: false, onDemandOnly: false, drain: false };
const CHECKS: readonly JobState[] = ["launched", "running", "waiting"];

export function switchesOf(queue: Queue): Switches {
	return queue.setting("switches") ?? ALL_OFF;
}

function budgetsOf(queue: Queue, now: number): Budgets {
	const kept = queue.budgets() ?? { jit: [], ec2: fullBucket(RATES.ec2, now) };
	return { jit: kept.jit, ec2: refilled(kept.ec2, RATES.ec2, now) };
}

function isHeldBack(switches: Switches): boolean {
	return switches.pause || switches.drain;
}

/** Hands out at most `max` due items: machines to end, then launches as far as JIT calls reach, then checks. */
export function handOut(
	queue: Queue,
	{ max, requestId, caps = {} }: Asked,
	leaseId: () => string,
	now: number,
	clocks: Clocks,
): LeaseAnswer {
	const switches = switchesOf(queue);
	const budgets = budgetsOf(queue, now);
	const tasks = queue.dueTasks(now, max).filter((task) => !switches.drain || !isPutOff(queue, task, now, clocks));
	const allowed = isHeldBack(switches) ? 0 : Math.min(max - tasks.length, leftOf(budgets.jit, JIT_CALLS_A_MINUTE, now));
	const launches = dueLaunches(queue, allowed, caps, now);
	const checks = dueOf(queue, CHECKS, max - tasks.length - launches.length, now);
	const work = [
		...tasks.map((task) => leaseTask(queue, task, leaseId(), now, clocks)),
		...launches.map((job) => leaseLaunch(queue, job, leaseId(), now, clocks)),
		...checks.map((job) => leaseCheck(queue, job, leaseId(), now, clocks)),
	];
	const ended = tasks.filter(({ kind }) => kind === "terminate").length;
	const left = { jit: spend(budgets.jit, launches.length, now), ec2: spent(budgets.ec2, launches.length + ended) };
	const granted = {
		...{ jitCalls: leftOf(left.jit, JIT_CALLS_A_MINUTE, now), ec2Calls: Math.floor(left.ec2.tokens) },
		onDemandOnly: switches.onDemandOnly || isOpen(queue.setting("breaker") ?? CLOSED, now),
		paused: isHeldBack(switches),
		alarm: queue.setting("deprecation")?.reason ?? null,
	};
	const answer = { work, budgets: granted };
	if (work.length > 0) remember(queue, requestId, answer, left, now);
	return answer;
}

/** What of a lease's request counts here. */
type Asked = Pick<LeaseRequest, "max" | "requestId"> & Partial<Pick<LeaseRequest, "caps">>;

function remember(queue: Queue, request: string, answer: LeaseAnswer, budgets: Budgets, at: number): void {
	const tokens = answer.work.map((item) => (item.kind === "launch" ? (item.intent?.token ?? null) : null));
	const work = answer.work.map((item) => (item.kind === "launch" ? { ...item, intent: null } : item));
	queue.saveLeased({ request, at, answer: { ...answer, work }, tokens, budgets });
}

/** The answer that a request was given after a moment: its first one may have been lost on the way. */
export function answerAgain(queue: Queue, request: string, after: number): LeaseAnswer | null {
	const leased = queue.leased(request, after);
	if (!leased) return null;
	const work = leased.answer.work.map((item, at) =>
		item.kind === "launch" ? { ...item, intent: queue.intent(leased.tokens[at] ?? null) } : item,
	);
	return { ...leased.answer, work };
}

/** While draining, a rerun waits: it would bring new jobs. */
function isPutOff(queue: Queue, task: Task, now: number, clocks: Clocks): boolean {
	if (task.kind === "rerun") queue.saveTask({ ...task, dueAt: now + clocks.retry });
	return task.kind === "rerun";
}

/** Launches under way go on whatever the caps; the others as far as their owners and repositories have room. */
function dueLaunches(queue: Queue, limit: number, caps: Caps, now: number): Job[] {
	const begun = dueOf(queue, ["launching"], limit, now);
	const room = createRoom(() => queue.open.busy(), caps);
	const mayBegin = (job: Waiting) => {
		// What was handed out before has its room.
		if (job.isLeased) return true;
		const isFree = room.whyFull(job) === null;
		if (isFree) room.take(job);
		return isFree;
	};
	return [...begun, ...queue.open.due("queued", now, limit - begun.length, mayBegin)];
}

function dueOf(queue: Queue, states: readonly JobState[], limit: number, now: number): Job[] {
	const due: Job[] = [];
	for (const state of states) {
		if (due.length < limit) due.push(...queue.open.due(state, now, limit - due.length));
	}
	return due;
}

/**
 * Whether a job without a known environment has none: GitHub queued it and never held it for an approval. One that was held has one, but only
 * some of its deliveries name it (FACTS 3), and those may be lost.
 */
function hasNone({ heard }: Job): boolean {
	return heard.some((mark) => mark.startsWith("queued/")) && !heard.some((mark) => mark.includes("waiting"));
}

function leaseLaunch(queue: Queue, job: Job, leaseId: string, now: number, clocks: Clocks): WorkItem {
	// A replay keeps the moment of the lease that decided the launch.
	const leasedAt = job.intent === null ? now : (job.leasedAt ?? now);
	queue.saveJob({ ...job, lease: leaseId, leasedAt, dueAt: now + clocks.firstLease });
	const { pointer, onDemand, environment, source = "webhook", awaits, queuedAt, receivedAt } = job;
	const intent = queue.intent(job.intent);
	return {
		kind: "launch",
		workId: launchKey(pointer.id),
		leaseId,
		job: pointer,
		intent,
		onDemand,
		environment,
		source,
		awaits,
		isEnvironmentKnown: environment !== null || hasNone(job),
		queuedAt,
		receivedAt,
		leasedAt,
	};
}

function leaseCheck(queue: Queue, job: Job, leaseId: string, now: number, clocks: Clocks): WorkItem {
	queue.saveJob({ ...job, lease: leaseId, dueAt: now + clocks.firstLease });
	const { pointer, state, since } = job;
	return { kind: "check", workId: `check-${pointer.id}`, leaseId, job: pointer, state, machine: job.seat?.machine ?? null, since };
}

function leaseTask(queue: Queue, task: Task, leaseId: string, now: number, clocks: Clocks): WorkItem {
	queue.saveTask({ ...task, lease: leaseId, dueAt: now + clocks.firstLease });
	if (task.kind === "terminate") {
		const { workId, instanceId, runnerName, job, force, reason } = task;
		return { kind: "terminate", workId, leaseId, instanceId, runnerName, job, force, reason };
	}
	const { workId, runId, attempt, repository, owner, installationId, machines } = task;
	return { kind: "rerun", workId, leaseId, runId, attempt, repository, owner, installationId, machines };
}

/** When there is something to hand out next, in epoch milliseconds: work that falls due, or a JIT call that launches wait for. */
export function nextWorkAt(queue: Queue, now: number, caps: Caps = {}): number | null {
	const launchesAt = isHeldBack(switchesOf(queue)) ? null : nextLaunchAt(queue, now, caps);
	const budgets = budgetsOf(queue, now);
	const payable = launchesAt === null ? null : Math.max(launchesAt, oneLeftAt(budgets.jit, JIT_CALLS_A_MINUTE, now));
	return least([payable, queue.nextTask(), queue.open.nextDue(CHECKS)]);
}

/** What waits for room is not due: it becomes so when another's machine ends, which rings by itself. */
function nextLaunchAt(queue: Queue, now: number, caps: Caps): number | null {
	const room = createRoom(() => queue.open.busy(), caps);
	const mayBegin = (job: Waiting) => job.dueAt > now || job.isLeased || room.whyFull(job) === null;
	return least([queue.open.nextDue(["launching"]), queue.open.nextDue(["queued"], mayBegin)]);
}

function least(moments: (number | null)[]): number | null {
	const known = moments.filter((at) => at !== null);
	return known.length > 0 ? Math.min(...known) : null;
}
