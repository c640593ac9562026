// By which gateway each zone's machines go out: the moves that follow from what a gateway has seen (sight.ts). Every gateway decides for itself; what
// keeps two from fighting is that nobody moves a route away from a gateway that lives, but to bring a zone home. Pure.
import { HOME_MS, homeAfter, isListed, isServed, lives, MISSES, type Sight } from "./sight.ts";

export interface Move {
	zone: string;
	from: string | null;
	reason: string;
}

/** The next in the ring acts so much later than the one before it. */
const TURN_MS = 6000;
/** How long a gateway must have been well before it takes another's zone. */
const STEADY_MS = 6000;

/** A zone is its newest gateway's that lives: an older one is about to be replaced, and steps in only where the newer one does nothing. */
function isHome(sight: Sight, now: number): boolean {
	const { me, zone, peers, astraySince } = sight;
	const own = peers.find(({ instanceId }) => instanceId === me);
	const isNewest = !peers.some((peer) => peer.zone === zone && lives(sight, peer.instanceId) && peer.launchedAt > (own?.launchedAt ?? 0));
	return isNewest || now >= (astraySince[zone] ?? Number.POSITIVE_INFINITY) + TURN_MS;
}

/** How many that live come before this gateway in the ring of a zone; the zone's own is the first. */
function turnOf(sight: Sight, zone: string): number {
	const { zones, peers } = sight;
	const ring = zones.map((_, at) => zones[(zones.indexOf(zone) + at) % zones.length] ?? "");
	const before = ring.slice(0, ring.indexOf(sight.zone));
	return before.filter((name) => peers.some((peer) => peer.zone === name && lives(sight, peer.instanceId))).length;
}

function takes(sight: Sight, zone: string, now: number): boolean {
	const since = sight.astraySince[zone];
	return since !== undefined && now >= since + turnOf(sight, zone) * TURN_MS;
}

/** What this gateway does now. Nothing, unless EC2 answered it in this very step: its own way out works, and it knows how things are. */
export function decide(sight: Sight, now: number): Move[] {
	const { me, wellSince, toldAt, routes } = sight;
	if (wellSince === null || toldAt !== now || !isListed(sight, me)) return [];
	const wellFor = now - wellSince;
	return sight.zones.flatMap((zone): Move[] => {
		const from = routes[zone] ?? null;
		if (from === me) return [];
		const silence = from === null ? "its route led nowhere" : `${from} did not answer ${MISSES} times`;
		if (zone === sight.zone) {
			const served = isServed(sight, zone, now);
			if (wellFor < (served ? homeAfter(sight) : HOME_MS) || !isHome(sight, now)) return [];
			return [{ zone, from, reason: served ? "back home: its own gateway is well again" : `back home: ${silence}` }];
		}
		return wellFor >= STEADY_MS && takes(sight, zone, now) ? [{ zone, from, reason: `taken over: ${silence}` }] : [];
	});
}
