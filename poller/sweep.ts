// Looks over what no webhook tells: machines that nobody wants, deliveries that failed. From current state alone, so any of them may be missed.
import type { ActiveRepository } from "../contract/observe.ts";
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

/** Deliveries are looked at this far back; GitHub keeps them for three days (FACTS 2.6). */
const LOOK_BACK_MS = 60 * 60_000;
/** A delivery that was sent again is given this long to show. */
const PATIENCE_MS = 2 * 60_000;
const MOST_REDELIVERED = 50;

/** Asks GitHub to send again what the relay did not take. `asked` is when each was asked for, by guid. */
export async function sweepDeliveries(ports: Ports, asked: Map<string, number>): Promise<void> {
	const now = ports.now();
	const failed = failedDeliveries(await ports.github.deliveriesSince(now - LOOK_BACK_MS), asked, now);
	for (const { id, guid } of failed.slice(0, MOST_REDELIVERED)) {
		asked.set(guid, now);
		await ports.github.redeliver(id);
		ports.log.info({ delivery: guid }, "redelivering");
	}
}

/** The newest try of every delivery of which every try was lost. Pure. */
export function failedDeliveries(deliveries: readonly Delivery[], asked: ReadonlyMap<string, number>, now: number): Delivery[] {
	const ours = deliveries.filter(({ event }) => event === "workflow_job");
	const lost = ours.filter(({ isOver }) => !isOver);
	if (lost.length === 0) return [];
	const taken = new Set(ours.filter(({ isOver }) => isOver).map(({ guid }) => guid));
	const failed = lost.filter(({ guid }) => !taken.has(guid));
	return [...Map.groupBy(failed, ({ guid }) => guid).values()].flatMap((tries) => {
		const [newest] = tries.toSorted((one, other) => other.deliveredAt - one.deliveredAt || other.id - one.id);
		if (!newest) return [];
		return now - (asked.get(newest.guid) ?? 0) < PATIENCE_MS ? [] : [newest];
	});
}
