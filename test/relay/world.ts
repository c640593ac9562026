// A small model of GitHub, EC2 and a poller around the real ledger, driven by a list of random numbers: events come late, doubled or
// never, runners take each other's jobs, leases run out, settles are lost. What must hold is asked after each step.
import type { JobEvent } from "../../contract/job.ts";
import type { WorkItem } from "../../contract/lease.ts";
import type { Outcome } from "../../contract/settle.ts";
import { DEFAULT_CLOCKS as clocks } from "../../relay/clocks.ts";
import { handOut } from "../../relay/hand-out.ts";
import { observe } from "../../relay/observe.ts";
import { receive } from "../../relay/receive.ts";
import { settle } from "../../relay/settle.ts";
import { freshRows, instanceId, jobEvent, machineOf, START } from "./ledger-rows.ts";

interface Machine {
	id: string;
	launchedAt: number;
	alive: boolean;
	/** The one job its runner took. */
	runs: number | null;
	hasRunner: boolean;
}

export type World = ReturnType<typeof createWorld>;

export function createWorld(jobCount: number) {
	const { queue } = freshRows();
	const intake = { maxOpenJobs: 1000, clocks };
	const jobs = new Map(
		Array.from({ length: jobCount }, (_, n) => [n + 1, { status: "queued" as JobEvent["status"], runner: null as string | null }]),
	);
	const machines = new Map<string, Machine>();
	const fleets = new Map<string, string>();
	const inFlight: Outcome[] = [];
	const mail: { id: string; event: JobEvent }[] = [];
	let now = START;
	let sent = 0;
	let leases = 0;

	const send = (event: JobEvent) => mail.push({ id: `d-${++sent}`, event });
	for (const id of jobs.keys()) send(jobEvent(id, "queued"));

	/** CreateFleet: the same token gives the same machine. */
	function fleet(token: string): string {
		const id = fleets.get(token) ?? instanceId(machines.size + 1);
		if (!fleets.has(token)) machines.set(id, { id, launchedAt: now, alive: true, runs: null, hasRunner: true });
		fleets.set(token, id);
		return id;
	}

	function launch(item: Extract<WorkItem, { kind: "launch" }>): Outcome[] {
		const { workId, leaseId } = item;
		const real = jobs.get(item.job.id);
		if (real?.status !== "queued") return [truth(item.job.id, workId, leaseId)];
		const token = item.intent?.token ?? `t-${leaseId}`;
		const intent = item.intent ?? { token, members: [item.job.id], request: { token } };
		const answer = settle(queue, [{ workId, leaseId, outcome: "launching", ...intent }], now, clocks);
		if (answer.stale[workId]) return [];
		return [{ workId, leaseId, outcome: "launched", ...machineOf(Number.parseInt(fleet(token).slice(2), 16)) }];
	}

	function truth(id: number, workId: string, leaseId: string): Outcome {
		const real = jobs.get(id);
		const conclusion = real?.status === "completed" ? "success" : null;
		return { workId, leaseId, outcome: "notQueued", status: real?.status ?? "completed", conclusion, runnerName: real?.runner ?? null };
	}

	function check(item: Extract<WorkItem, { kind: "check" }>): Outcome[] {
		const { workId, leaseId } = item;
		if (jobs.get(item.job.id)?.status !== "queued") return [truth(item.job.id, workId, leaseId)];
		const machine = machines.get(item.machine?.instanceId ?? "");
		const isUseful = machine?.alive && machine.runs === null;
		return [{ workId, leaseId, ...(isUseful ? { outcome: "extend" } : { outcome: "failed", reason: "no machine" }) } as Outcome];
	}

	function end(instance: string): boolean {
		const machine = machines.get(instance);
		if (machine?.alive && machine.runs !== null && jobs.get(machine.runs)?.status === "in_progress") return false;
		if (machine) Object.assign(machine, { alive: false, hasRunner: false });
		return true;
	}

	function work(item: WorkItem): Outcome[] {
		const { workId, leaseId } = item;
		if (item.kind === "launch") return launch(item);
		if (item.kind === "check") return check(item);
		if (item.kind === "rerun") return [{ workId, leaseId, outcome: "kept", reason: "no" }];
		return [end(item.instanceId) ? { workId, leaseId, outcome: "terminated" } : { workId, leaseId, outcome: "kept", reason: "busy" }];
	}

	const moves = {
		queue,
		jobs,
		machines,
		inFlight,
		now: () => now,
		/** The launch items of the newest lease, with whether GitHub had told the relay that the job runs. */
		lease(): WorkItem[] {
			const { work: items } = handOut(queue, { max: 100, requestId: `r-${leases}` }, () => `l-${++leases}`, now, clocks);
			for (const item of items) inFlight.push(...work(item));
			return items;
		},
		settleOne(at: number): void {
			const [result] = inFlight.splice(at % Math.max(1, inFlight.length), 1);
			if (result) settle(queue, [result], now, clocks);
		},
		loseOne(at: number): void {
			inFlight.splice(at % Math.max(1, inFlight.length), 1);
		},
		deliver(at: number, keep: boolean): void {
			const letter = mail[at % Math.max(1, mail.length)];
			if (!letter) return;
			if (!keep) mail.splice(mail.indexOf(letter), 1);
			receive(queue, letter, intake, now);
		},
		lose(at: number): void {
			// The first word of a job is found again by discovery, which this model leaves out.
			const letter = mail[at % Math.max(1, mail.length)];
			if (letter && letter.event.action !== "queued") mail.splice(mail.indexOf(letter), 1);
		},
		/** A runner takes any queued job. */
		run(at: number): void {
			const idle = [...machines.values()].filter((machine) => machine.alive && machine.hasRunner && machine.runs === null);
			const waiting = [...jobs].filter(([, job]) => job.status === "queued");
			const machine = idle[at % Math.max(1, idle.length)];
			const [id, job] = waiting[(at * 7) % Math.max(1, waiting.length)] ?? [];
			if (!machine || !job || id === undefined) return;
			machine.runs = id;
			const runnerName = `mayfly-${machine.id}-1`;
			Object.assign(job, { status: "in_progress", runner: runnerName });
			send(jobEvent(id, "in_progress", { runnerName }));
		},
		finish(at: number, cancel: boolean): void {
			const open = [...jobs].filter(([, job]) => job.status === (cancel ? "queued" : "in_progress"));
			const [id, job] = open[at % Math.max(1, open.length)] ?? [];
			if (!job || id === undefined) return;
			job.status = "completed";
			const machine = [...machines.values()].find(({ runs }) => runs === id);
			if (machine && !cancel) Object.assign(machine, { alive: false, hasRunner: false });
			send(jobEvent(id, "completed", { conclusion: cancel ? "cancelled" : "success", runnerName: job.runner }));
		},
		wait(milliseconds: number): void {
			now += milliseconds;
		},
		sweep(): void {
			const facts = [...machines.values()].map(({ id, alive, launchedAt }) => ({
				...{ instanceId: id, state: alive ? ("running" as const) : ("terminated" as const), launchedAt },
				...{ stateReason: null, privateIp: null, token: null },
			}));
			const answer = observe(queue, { jobs: [], runs: [], machines: facts, complete: true }, intake, now);
			for (const { instanceId: id, verdict } of answer.machines) if (verdict === "terminate") end(id);
		},
	};
	return moves;
}
