// The instances of the stand-in and the life of each: pending, running, shutting-down, terminated. Holds the booted machines.
import { randomBytes } from "node:crypto";
import type { Boot, BootedMachine } from "../instance.ts";
import type { Market, Pool } from "./fleet-request.ts";
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
	pool: Pool & { zone: string };
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
	pool: Pool & { zone: string };
	market: Market;
	reservationId: string;
	clientToken: string;
	tags: Tags;
	/** Null for a machine whose agent never starts. */
	boot: Boot | null;
}

export interface Machines {
	launch(launch: Launch): Instance;
	/** Ends an instance unless it is ending already; resolves once it is terminated. */
	end(instance: Instance, reason: Reason): Promise<void>;
	/** Every instance that EC2 still lists, in the order of launch. */
	listed(): Instance[];
	onState(listener: (change: StateChange) => void): () => void;
}

export interface MachinesOptions {
	region: string;
	now: () => number;
	/** Terminated instances stay listed for this long. */
	keepTerminatedMs: number;
}

export const isAlive = ({ state }: Instance) => state !== "terminated";

export const newId = (prefix: string) => `${prefix}-${randomBytes(9).toString("hex").slice(0, 17)}`;

/** The n-th address of 10.0.0.0/16, leaving out those that end in 0 to 3 or 255, which AWS keeps for itself. */
function addressOf(ordinal: number): string {
	const host = ordinal % (251 * 256);
	return `10.0.${Math.floor(host / 251)}.${4 + (host % 251)}`;
}

/** Keeps the instances; all effects on a machine go through its `Boot`. */
export function createMachines({ region, now, keepTerminatedMs }: MachinesOptions): Machines {
	const instances = new Map<string, Instance>();
	const listeners = new Set<(change: StateChange) => void>();
	let launched = 0;

	function enter(instance: Instance, state: State): void {
		instance.state = state;
		if (state === "terminated") instance.terminatedAt = now();
		const change = { instanceId: instance.instanceId, state, at: now(), reason: instance.reason };
		for (const listener of listeners) listener(change);
	}

	async function end(instance: Instance, reason: Reason): Promise<void> {
		if (instance.state === "shutting-down" || instance.state === "terminated") return instance.booting;
		instance.reason = reason;
		enter(instance, "shutting-down");
		instance.booting = instance.booting
			.then(() => instance.machine?.end())
			.catch((error) => {
				instance.problem = error;
			})
			.then(() => enter(instance, "terminated"));
		return instance.booting;
	}

	async function boot(instance: Instance, start: Boot | null): Promise<void> {
		try {
			instance.machine = start ? await start(factsOf(instance, region), () => void end(instance, REASONS.instance)) : null;
			if (instance.state === "pending") enter(instance, "running");
		} catch (error) {
			instance.problem = error;
			void end(instance, REASONS.broken);
		}
	}

	function launch({ boot: start, ...facts }: Launch): Instance {
		const ordinal = launched++;
		const instance: Instance = {
			...facts,
			ordinal,
			instanceId: newId("i"),
			privateIp: addressOf(ordinal),
			state: "pending",
			reason: null,
			launchedAt: now(),
			terminatedAt: null,
			interruptAt: null,
			problem: null,
			machine: null,
			booting: Promise.resolve(),
		};
		instances.set(instance.instanceId, instance);
		enter(instance, "pending");
		instance.booting = Promise.resolve().then(() => boot(instance, start));
		return instance;
	}

	function listed(): Instance[] {
		for (const [id, { terminatedAt }] of instances)
			if (terminatedAt !== null && now() - terminatedAt > keepTerminatedMs) instances.delete(id);
		return [...instances.values()];
	}

	const onState = (listener: (change: StateChange) => void) => {
		listeners.add(listener);
		return () => void listeners.delete(listener);
	};
	return { launch, end, listed, onState };
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
