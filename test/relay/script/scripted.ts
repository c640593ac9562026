// The ledger under a script: says each step to it and keeps what was said, handed out and answered.
import type { JobEvent, JobStatus } from "../../../contract/job.ts";
import type { Intent, WorkItem } from "../../../contract/lease.ts";
import type { Verdict } from "../../../contract/observe.ts";
import type { Outcome, SettleAnswer } from "../../../contract/settle.ts";
import { DEFAULT_CLOCKS as clocks } from "../../../relay/clocks.ts";
import { handOut, switchesOf } from "../../../relay/hand-out.ts";
import { note } from "../../../relay/note.ts";
import { observe } from "../../../relay/observe.ts";
import { type Delivery, type Receipt, receive } from "../../../relay/receive.ts";
import { settle } from "../../../relay/settle.ts";
import { freshRows, instanceId, jobEvent, machineOf, reopened, START } from "../ledger-rows.ts";
import type { Said, Step } from "./steps.ts";

/** What came of a step. */
export type Came =
	| { kind: "heard"; delivery: Delivery; receipt: Receipt }
	| { kind: "leased"; work: WorkItem[] }
	| { kind: "settled"; result: Outcome; answer: SettleAnswer }
	| { kind: "observed"; verdicts: Verdict[] }
	| { kind: "other" };

export type Scripted = ReturnType<typeof scripted>;

function runnerNameOf(runner: number | "elsewhere" | null): string | null {
	return typeof runner === "number" ? machineOf(runner).runnerName : runner && `${runner}-1`;
}

export function scripted(maxOpenJobs = 1000) {
	const { queue: first, database } = freshRows();
	const intake = { maxOpenJobs, clocks };
	const sent: Delivery[] = [];
	const handed: WorkItem[] = [];
	let queue = first;
	let now = START;
	let leases = 0;

	function hear(said: Said<"hear">): Came {
		const { action, status, conclusion } = said;
		const more = { ...(status && { status: status as JobStatus }), conclusion, runnerName: runnerNameOf(said.runner) };
		const delivery = { id: `d-${sent.length}`, event: jobEvent(said.job, action as JobEvent["action"], more) };
		sent.push(delivery);
		return { kind: "heard", delivery, receipt: receive(queue, delivery, intake, now) };
	}

	function lease(max: number): Came {
		const asked = { max, requestId: `r-${leases}` };
		const { work } = handOut(queue, asked, () => `l-${++leases}`, now, clocks);
		handed.unshift(...work);
		return { kind: "leased", work };
	}

	function outcomeOf(said: Said<"settle">, item: WorkItem): Outcome {
		const { workId, leaseId } = item;
		const members = item.kind === "launch" ? [item.job.id] : [1];
		const before: Intent | null = item.kind === "launch" ? item.intent : null;
		const fresh = { token: `t-${leaseId}`, members, request: { z: [1, { deep: leaseId }], a: "ü" } };
		const rest: Record<Outcome["outcome"], object> = {
			launching: before && !said.isOther ? before : fresh,
			launched: machineOf(said.machine),
			extend: {},
			later: { notBefore: now + said.delay, class: said.class, reason: "later" },
			refused: { reason: "refused" },
			notQueued: { status: said.status, conclusion: null, runnerName: runnerNameOf(said.runner) },
			gone: {},
			terminated: {},
			kept: { reason: "busy" },
			reran: {},
			failed: { reason: "failed" },
		};
		return { workId, leaseId, outcome: said.outcome, ...rest[said.outcome] } as Outcome;
	}

	function settleItem(said: Said<"settle">): Came {
		const item = handed[said.item % Math.max(1, handed.length)];
		if (!item) return { kind: "other" };
		const result = outcomeOf(said, item);
		return { kind: "settled", result, answer: settle(queue, [result], now, clocks) };
	}

	function observeAll({ jobs, runs, machines, complete }: Said<"observe">): Came {
		const facts = {
			complete,
			jobs: jobs.map(({ job, status, runner }) => {
				const said = { status: status as JobStatus, conclusion: null, runnerName: runnerNameOf(runner), createdAt: START };
				return { job: jobEvent(job, "queued").job, ...said };
			}),
			runs: runs.map((status) => ({ id: jobEvent(1, "queued").job.runId, attempt: 1, status, conclusion: null })),
			machines: machines.map(({ machine, isAlive, isTaken, age }) => ({
				...{ instanceId: instanceId(machine), state: isAlive ? ("running" as const) : ("terminated" as const), launchedAt: now - age },
				...{ stateReason: isTaken ? "Server.SpotInstanceTermination" : null, privateIp: null, token: null },
			})),
		};
		return { kind: "observed", verdicts: observe(queue, facts, intake, now).machines };
	}

	function say(step: Step): Came {
		switch (step.kind) {
			case "hear":
				return hear(step);
			case "again": {
				const delivery = sent[step.letter % Math.max(1, sent.length)];
				return delivery ? { kind: "heard", delivery, receipt: receive(queue, delivery, intake, now) } : { kind: "other" };
			}
			case "lease":
				return lease(step.max);
			case "settle":
				return settleItem(step);
			case "observe":
				return observeAll(step);
			case "report": {
				const { phase, sequence, job } = step;
				const report = { version: 1 as const, instanceId: instanceId(step.machine), sequence, phase, at: now, jobId: job };
				note(queue, { ...report, reason: null, measurements: {} }, now, clocks);
				return { kind: "other" };
			}
			case "turn":
				queue.saveSetting("switches", { ...switchesOf(queue), pause: step.pause, drain: step.drain });
				return { kind: "other" };
			case "wait":
				now += step.milliseconds;
				return { kind: "other" };
			case "restart":
				queue = reopened(database);
				return { kind: "other" };
		}
	}

	return { queue: () => queue, now: () => now, database, handed, say, lease: (max = 100) => lease(max) };
}
