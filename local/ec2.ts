// The EC2 stand-in: the Query API as the AWS SDK speaks it, on a free port. It refuses what EC2 would refuse, and boots what it launches.
import { type Call, type Faults, noFaults } from "./ec2/faults.ts";
import type { Account, Market } from "./ec2/fleet-request.ts";
import {
	createMachines,
	endInstance,
	type Instance,
	listInstances,
	type Machines,
	REASONS,
	type Reason,
	type State,
	type StateChange,
} from "./ec2/machines.ts";
import { serveEc2 } from "./ec2/server.ts";
import type { Boot } from "./instance.ts";
import type { AwsKeys } from "./sigv4.ts";

const AN_HOUR_MS = 3_600_000;
const DEFAULT_QUOTA = 16;

export interface Ec2Options extends Account {
	keys: AwsKeys;
	region: string;
	/** How a launched instance starts: `createBoot` of instance.ts. */
	boot: Boot;
	/** Machines alive at once; the rest is a capacity error. 16 unless told. */
	machines?: number;
	/** Terminated instances stay listed for this long; an hour unless told, as at EC2. */
	keepTerminatedMs?: number;
	now?: () => number;
}

/** An instance as tests and the local system see it. Times are epoch milliseconds. */
export interface InstanceView {
	instanceId: string;
	pid: number | null;
	state: State;
	reason: Reason | null;
	privateIp: string;
	instanceType: string;
	zone: string;
	market: Market;
	tags: Record<string, string>;
	launchedAt: number;
	terminatedAt: number | null;
	interruptAt: number | null;
	directory: string | null;
	problem: unknown;
}

export interface Ec2 {
	url: string;
	faults: Faults;
	/** In the order of launch. */
	instances(): InstanceView[];
	/** Every signed call, oldest first. */
	calls(): Call[];
	/** Sends a signal to an instance's agent alone; false if it has none. */
	kill(instanceId: string, signal: NodeJS.Signals): boolean;
	/** Announces an interruption through IMDS and carries it out; returns the announced time. Throws unless it is a running spot instance. */
	interrupt(instanceId: string, notice: { noticeMs: number }): number;
	/** Makes IMDS recommend a rebalance. */
	recommendRebalance(instanceId: string): void;
	onState(listener: (change: StateChange) => void): () => void;
	/** Ends every machine, then the server. */
	stop(): Promise<void>;
}

function viewOf(instance: Instance): InstanceView {
	const { instanceId, state, reason, privateIp, pool, market, tags, launchedAt, terminatedAt, interruptAt, machine, problem } = instance;
	return {
		...{ instanceId, state, reason, privateIp, market, launchedAt, terminatedAt, interruptAt, problem },
		pid: machine?.pid ?? null,
		instanceType: pool.instanceType,
		zone: pool.zone,
		tags: Object.fromEntries(tags),
		directory: machine?.directory ?? null,
	};
}

function runningInstance(machines: Machines, instanceId: string): Instance {
	const found = machines.instances.get(instanceId);
	if (found?.state !== "running") throw new Error(`${instanceId} is not a running instance`);
	return found;
}

/** The announced time is a whole second, as IMDS writes it. */
function interruptSpot(machines: Machines, instance: Instance, noticeMs: number): { at: number; timer: Timer } {
	if (instance.market !== "spot") throw new Error(`${instance.instanceId} is not a spot instance`);
	const at = Math.ceil((machines.now() + noticeMs) / 1000) * 1000;
	instance.interruptAt = at;
	instance.machine?.announceInterruption(at);
	return { at, timer: setTimeout(() => void endInstance(machines, instance, REASONS.spot), at - machines.now()) };
}

/** Starts the stand-in. It launches through `options.boot` and needs nothing else of the machine it runs on. */
export async function startEc2(options: Ec2Options): Promise<Ec2> {
	const { region, keys, boot, now = Date.now, keepTerminatedMs = AN_HOUR_MS, machines: quota = DEFAULT_QUOTA } = options;
	const machines = createMachines({ region, now, keepTerminatedMs });
	const faults = noFaults();
	const calls: Call[] = [];
	const timers = new Set<Timer>();
	const state = { account: options, machines, faults, boot, quota, answered: new Map() };
	const server = serveEc2({ keys, region, state, record: (call) => void calls.push(call) });
	return {
		url: server.url,
		faults,
		instances: () => listInstances(machines).map(viewOf),
		calls: () => [...calls],
		kill: (instanceId, signal) => runningInstance(machines, instanceId).machine?.kill(signal) ?? false,
		interrupt(instanceId, { noticeMs }) {
			const { at, timer } = interruptSpot(machines, runningInstance(machines, instanceId), noticeMs);
			timers.add(timer);
			return at;
		},
		recommendRebalance: (instanceId) => runningInstance(machines, instanceId).machine?.recommendRebalance(now()),
		onState(listener) {
			machines.listeners.add(listener);
			return () => void machines.listeners.delete(listener);
		},
		async stop() {
			for (const timer of timers) clearTimeout(timer);
			await server.stop();
			await Promise.all(listInstances(machines).map((instance) => endInstance(machines, instance, REASONS.user)));
		},
	};
}
