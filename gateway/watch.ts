// One look at the other zones' gateways and what follows from it. Decides nothing itself (take-over.ts).
import type { Fetch } from "../aws/imds-reader.ts";
import type { Ec2 } from "./ec2.ts";
import { answersAt } from "./health.ts";
import type { Log } from "./log.ts";
import { looked, moved, type Sight, told, wantsTold } from "./sight.ts";
import { decide } from "./take-over.ts";

export interface WatchPorts {
	ec2: Ec2;
	fetch: Fetch;
	log: Log;
	/** Goes on evenly, whatever becomes of the time of day. */
	now: () => number;
	/** HAProxy answers as soon as there is one; without lists that this program knows to be taken up, nothing may pass by it. */
	hasLists: () => boolean;
}

async function look(ports: WatchPorts, sight: Sight): Promise<Sight> {
	const others = sight.peers.filter(({ instanceId }) => instanceId !== sight.me);
	const [ownProxy, ...answers] = await Promise.all([
		answersAt(ports.fetch, "127.0.0.1"),
		...others.map(async ({ instanceId, privateIp }) => [instanceId, await answersAt(ports.fetch, privateIp)] as const),
	]);
	const own = ownProxy && ports.hasLists();
	const after = looked(sight, own, Object.fromEntries(answers), ports.now());
	for (const id of Object.keys(after.goneSince)) if (!sight.goneSince[id]) ports.log("gateway-silent", { gateway: id });
	for (const id of Object.keys(sight.goneSince)) if (!after.goneSince[id]) ports.log("gateway-heard", { gateway: id });
	if (own !== (sight.wellSince !== null)) ports.log(own ? "well" : "not-well", {});
	return after;
}

async function ask(ports: WatchPorts, sight: Sight, now: number): Promise<Sight> {
	try {
		const { peers, routes } = await ports.ec2.tell();
		return told(sight, peers, routes, now);
	} catch (error) {
		ports.log("no-way-out", { error: String(error) });
		return sight;
	}
}

/** Looks, asks where there is need, and makes the moves. */
export async function watchStep(ports: WatchPorts, before: Sight): Promise<Sight> {
	let sight = await look(ports, before);
	const now = ports.now();
	if (!wantsTold(sight, now)) return sight;
	sight = await ask(ports, sight, now);
	for (const { zone, from, reason } of decide(sight, now)) {
		try {
			await ports.ec2.lead(zone, sight.me);
			sight = moved(sight, zone, ports.now());
			ports.log("moved", { route: zone, from, to: sight.me, reason });
		} catch (error) {
			ports.log("not-moved", { route: zone, from, to: sight.me, reason, error: String(error) });
		}
	}
	return sight;
}
