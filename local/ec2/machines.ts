// The instances of the stand-in and the life of each: pending, running, shutting-down, terminated. Holds the booted machines.
import { randomBytes } from "node:crypto";
import type { Boot, BootedMachine } from "../instance.ts";
import type { ZonedPool } from "./allocate.ts";
import type { Market } from "./fleet-request.ts";
import type { Tags } from "./tags.ts";

export type State = "pending" | "running" | "shutting-down" | "terminated";

/** EC2's own evidence of why an instance ended. */
export const REASONS = {
	user: { code: "Client.UserInitiatedShutdown", message: "Client.UserInitiatedShutdown: User initiated shutdown" },
	instance: { code: "Client.InstanceInitiatedShutdown", message: "Client.InstanceInitiatedShutdown: Instance initiated shutdown" },
	spot: { code: "Server.SpotInstanceTermination", message: "Server.SpotInstanceTermination: Spot instance termination" },
	broken: { code: "Server.InternalError", message: "Server.InternalError: Internal error on launch" },
} as const;
export type Reason = (typeof REASONS)[keyof typeof REASONS];

export interface Instance {
	/** Counts launches; the order in which instances are listed. */
	ordinal: number;
	instanceId: string;
	reservationId: string;
	clientToken: string;
	pool: ZonedPool;
	market: Market;
	privateIp: string;
	tags: Tags;
	state: State;
	reason: Reason | null;
	launchedAt: number;
	terminatedAt: number | null;
	/** When EC2 takes it back, once that was announced. */
	interruptAt: number | null;
	/** What went wrong on this side, if anything did. */
	problem: unknown;
	machine: BootedMachine | null;
	booting: Promise<void>;
}

export interface StateChange {
	instanceId: string;
	state: State;
	at: number;
	reason: Reason | null;
}

export interface Launch {
	pool: ZonedPool;
	market: Market;
	reservationId: string;
	clientToken: string;
	tags: Tags;
	/** Null for a machine whose agent never starts. */
	boot: Boot | null;
}

export interface MachinesOptions {
	region: string;
	now: () => number;
	/** Terminated instances stay listed for this long. */
	keepTerminatedMs: number;
}

/** What the functions below work on; nobody else changes it. */
export interface Machines extends MachinesOptions {
	instances: Map<string, Instance>;
	listeners: Set<(change: StateChange) => void>;
	launched: number;
}

export const isAlive = ({ state }: Instance) => state !== "terminated";

export const newId = (prefix: string) => `${prefix}-${randomBytes(9).toString("hex").slice(0, 17)}`;

/** The n-th address of 10.0.0.0/16, leaving out those that end in 0 to 3 or 255, which AWS keeps for itself. */
function addressOf(ordinal: number): string {
	const host = ordinal % (251 * 256);
	return `10.0.${Math.floor(host / 251)}.${4 + (host % 251)}`;
}

export function createMachines(options: MachinesOptions): Machines {
	return { ...options, instances: new Map(), listeners: new Set(), launched: 0 };
}

function enter(machines: Machines, instance: Instance, state: State): void {
	const at = machines.now();
	instance.state = state;
	if (state === "terminated") instance.terminatedAt = at;
	const change = { instanceId: instance.instanceId, state, at, reason: instance.reason };
	for (const listener of machines.listeners) listener(change);
}

/** Ends an instance unless it is ending already; resolves once it is terminated. */
export function endInstance(machines: Machines, instance: Instance, reason: Reason): Promise<void> {
	if (instance.state === "shutting-down" || instance.state === "terminated") return instance.booting;
	instance.reason = reason;
	enter(machines, instance, "shutting-down");
	instance.booting = instance.booting
		.then(() => instance.machine?.end())
		.catch((error) => {
			instance.problem = error;
		})
		.then(() => enter(machines, instance, "terminated"));
	return instance.booting;
}

async function bootInstance(machines: Machines, instance: Instance, boot: Boot | null): Promise<void> {
	const off = () => void endInstance(machines, instance, REASONS.instance);
	try {
		instance.machine = boot ? await boot(factsOf(instance, machines.region), off) : null;
		if (instance.state === "pending") enter(machines, instance, "running");
	} catch (error) {
		instance.problem = error;
		void endInstance(machines, instance, REASONS.broken);
	}
}

/** Launches one instance; its boot goes on behind. */
export function launchInstance(machines: Machines, { boot, ...facts }: Launch): Instance {
	const ordinal = machines.launched++;
	const instance: Instance = {
		...facts,
		...{ ordinal, instanceId: newId("i"), privateIp: addressOf(ordinal) },
		...{ state: "pending", reason: null, launchedAt: machines.now(), terminatedAt: null, interruptAt: null },
		...{ problem: null, machine: null, booting: Promise.resolve() },
	};
	machines.instances.set(instance.instanceId, instance);
	enter(machines, instance, "pending");
	instance.booting = Promise.resolve().then(() => bootInstance(machines, instance, boot));
	return instance;
}

/** Every instance that EC2 still lists, in the order of launch. */
export function listInstances({ instances, now, keepTerminatedMs }: Machines): Instance[] {
	for (const [id, { terminatedAt }] of instances)
		if (terminatedAt !== null && now() - terminatedAt > keepTerminatedMs) instances.delete(id);
	return [...instances.values()];
}

function factsOf({ instanceId, privateIp, pool, market, launchedAt }: Instance, region: string) {
	return {
		instanceId,
		privateIp,
		region,
		zone: pool.zone,
		instanceType: pool.instanceType,
		imageId: pool.imageId,
		architecture: pool.template.architecture,
		market,
		launchedAt,
	};
}
