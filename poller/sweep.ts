// Looks over what no webhook tells: machines that nobody wants, deliveries that failed. From current state alone, so any of them may be missed.
import type { ActiveRepository } from "../contract/observe.ts";
import { GitHubError } from "./github-error.ts";
import { machineIds } from "./log-ids.ts";
import { endOutlived } from "./outlived.ts";
import type { Delivery, Instance, Ports } from "./ports.ts";
import { tellMachines } from "./tell-machines.ts";
import { isAlive, isMachineOf } from "./terminate.ts";

/** One look takes at most this many machines (contract/observe.ts). */
const MOST_MACHINES = 5000;

/** What a session's last look at its machines showed; null before the first. */
export interface Looked {
	machines: ReadonlyMap<string, Instance> | null;
}

/** Tells the relay every machine of the stack and ends those that it does not want. Gives the repositories that had jobs lately. */
export async function sweepMachines(ports: Ports, looked: Looked): Promise<ActiveRepository[]> {
	const tagged = await ports.ec2.withTag("mayfly:stack", [ports.stack]);
	const all = tagged.filter((instance) => isMachineOf(ports.stack, instance));
	for (const instance of endedSince(looked.machines, all)) {
		const { state, stateReason } = instance;
		ports.log.info({ ...machineIds(instance), state, stateReason, terminatedAt: ports.now() }, "ended");
	}
	looked.machines = new Map(all.map((instance) => [instance.instanceId, instance]));
	ports.metrics.machines(all.filter(isAlive).length);
	const listed = all.slice(0, MOST_MACHINES);
	const { active, ended } = await tellMachines(ports, listed, listed.length === all.length);
	await endOutlived(
		ports,
		all.filter(({ instanceId }) => !ended.has(instanceId)),
	);
	return active;
}

/** Machines that have ended since the last look, mostly by themselves: EC2 forgets the address of one that is gone. Pure. */
export function endedSince(before: Looked["machines"], all: readonly Instance[]): Instance[] {
	if (before === null) return [];
	const ended = all.filter((instance) => !isAlive(instance) && isAlive(before.get(instance.instanceId) ?? { state: "running" }));
	return ended.map((instance) => ({ ...instance, privateIp: instance.privateIp ?? before.get(instance.instanceId)?.privateIp ?? null }));
}

/** Deliveries are looked at this far back: GitHub keeps them for three days (FACTS 2.6), and a thousand take two hours to be sent again. */
const LOOK_BACK_MS = 6 * 60 * 60_000;
/** A delivery that was sent again is given this long to show. */
const PATIENCE_MS = 2 * 60_000;
/** How long the first, the second and the last time that a delivery is sent again wait since it failed. */
const WAITS_MS = [0, 10 * 60_000, 60 * 60_000];
const MINUTE_MS = 60_000;

/**
 * Asks GitHub to send again what the relay did not take, at most so many in a minute: none while the relay takes none. `asked` is when each was
 * asked for, by guid.
 */
export async function sweepDeliveries(ports: Ports, asked: Map<string, number>, most: number): Promise<void> {
	const now = ports.now();
	const left = most - [...asked.values()].filter((at) => now - at < MINUTE_MS).length;
	if (left <= 0) return;
	const failed = failedDeliveries(await ports.github.deliveriesSince(now - LOOK_BACK_MS), asked, now);
	for (const delivery of failed.slice(0, left)) {
		asked.set(delivery.guid, ports.now());
		await redeliver(ports, delivery);
	}
}

/** One that GitHub will not send does not keep the others from being sent. */
async function redeliver({ github, log }: Ports, { id, guid }: Delivery): Promise<void> {
	try {
		await github.redeliver(id);
		log.info({ delivery: guid }, "redelivering");
	} catch (error) {
		if (!(error instanceof GitHubError) || error.retryable) throw error;
		log.warn({ delivery: guid, error: error.message }, "not redelivered");
	}
}

/** The newest try of every delivery of which every try was lost, once it is time for another one: first what waits for longest. Pure. */
export function failedDeliveries(deliveries: readonly Delivery[], asked: ReadonlyMap<string, number>, now: number): Delivery[] {
	const lost = new Map<string, Delivery[]>();
	for (const delivery of deliveries)
		if (!delivery.isOver && delivery.event === "workflow_job") lost.set(delivery.guid, [...(lost.get(delivery.guid) ?? []), delivery]);
	if (lost.size === 0) return [];
	for (const { guid, isOver } of deliveries) if (isOver) lost.delete(guid);
	return [...lost.values()].flatMap((tries) => dueOf(tries, asked, now)).toSorted(byAge);
}

const byAge = (one: Delivery, other: Delivery) => one.deliveredAt - other.deliveredAt || one.id - other.id;

/** The newest of a delivery's tries, if it is to be sent again now. */
function dueOf(tries: readonly Delivery[], asked: ReadonlyMap<string, number>, now: number): Delivery[] {
	const newest = tries.toSorted(byAge).at(-1);
	const wait = WAITS_MS[tries.length - 1];
	if (!newest || wait === undefined || now - newest.deliveredAt < wait) return [];
	return now - (asked.get(newest.guid) ?? 0) < PATIENCE_MS ? [] : [newest];
}
