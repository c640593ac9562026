// The lease of a launch, as its session knows it. Registering a machine and ending one that cannot be registered are for whoever has it: each
// may wait long for its turn, and the launch may be another session's by then.
import type { LaunchItem } from "../contract/lease.ts";
import { settle } from "./outcome.ts";
import type { Ports } from "./ports.ts";

/** A lease lasts a minute from its last sign (relay/clocks.ts): what begins within this of one has ended by then. */
const SURE_MS = 20_000;

export interface LaunchLease {
	/** Lengthens it. False: another session has the launch, or may have it soon since the relay did not answer. */
	extend(): Promise<boolean>;
	/** Whether it lasts for some time yet; asks the relay where its last sign is long ago. */
	lasts(): Promise<boolean>;
}

/** `signAt`: when the relay last heard of the launch from here, epoch ms; null: not known. */
export function createLaunchLease(ports: Ports, item: LaunchItem, signAt: number | null): LaunchLease {
	let since = signAt ?? Number.NEGATIVE_INFINITY;
	async function extend(): Promise<boolean> {
		const asked = ports.now();
		const { told, stale } = await settle(ports, [{ item, body: { outcome: "extend" } }]);
		const isOurs = told && !stale.has(item.workId);
		if (isOurs) since = asked;
		return isOurs;
	}
	return { extend, lasts: async () => ports.now() - since <= SURE_MS || extend() };
}
