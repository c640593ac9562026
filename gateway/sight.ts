// What a gateway has seen of the others and of the zones' routes, from one look to the next (what follows from it: take-over.ts). Pure.

/** A gateway that EC2 lists as running, this one among them. */
export interface Peer {
	instanceId: string;
	zone: string;
	privateIp: string;
	launchedAt: number;
}
/** By zone: the instance that its default route leads to; null: none. */
export type Routes = Record<string, string | null>;

/** A look at the others comes every so often. */
export const STEP_MS = 2000;
/** So many looks in a row without an answer, and a gateway counts as gone. */
export const MISSES = 3;
/** Routes and peers are asked for so often while all is well. */
const ASK_MS = 10_000;
/** After a pause of this length (the machine stood still), what was seen before it counts for nothing. */
const GAP_MS = 10_000;
/** EC2 may answer for some seconds as if a route had not been moved. */
const SETTLING_MS = 5000;
/** A gateway that brings its zone home lives, whatever it looks like from here: it is left alone so long, each time twice as long. */
const [FIRST_TRUST_MS, LONGEST_TRUST_MS] = [300_000, 1_800_000];
/** How long a gateway must have been well before it takes its zone home. One that falls again waits twice as long each time, for each fall cuts the zone. */
export const HOME_MS = 10_000;
const [LONGEST_HOME_MS, FORGOTTEN_MS] = [600_000, 1_800_000];

interface Trust {
	instanceId: string;
	until: number;
	ms: number;
}
export interface Sight {
	readonly me: string;
	readonly zone: string;
	/** All zones with gateways, in the order of the ring. */
	readonly zones: readonly string[];
	steppedAt: number | null;
	/** Since when this gateway's own HAProxy has answered each time. */
	wellSince: number | null;
	/** How often it has ceased to be well, since it was last well for half an hour. */
	falls: number;
	peers: readonly Peer[];
	routes: Routes;
	/** When EC2 last told peers and routes. */
	toldAt: number | null;
	misses: Readonly<Record<string, number>>;
	/** By instance: since when it counts as gone. */
	goneSince: Readonly<Record<string, number>>;
	/** By zone: since when its route has led to none that lives. */
	astraySince: Readonly<Record<string, number>>;
	trusted: Readonly<Record<string, Trust>>;
	movedAt: Readonly<Record<string, number>>;
}

export function firstSight(me: string, zone: string, zones: readonly string[]): Sight {
	return {
		...{ me, zone, zones, steppedAt: null, wellSince: null, falls: 0, peers: [], routes: {}, toldAt: null },
		...{ misses: {}, goneSince: {}, astraySince: {}, trusted: {}, movedAt: {} },
	};
}

export function isListed({ peers }: Sight, instanceId: string): boolean {
	return peers.some((peer) => peer.instanceId === instanceId);
}

export function lives(sight: Sight, instanceId: string): boolean {
	if (instanceId === sight.me) return sight.wellSince !== null;
	return isListed(sight, instanceId) && (sight.misses[instanceId] ?? 0) < MISSES;
}

/** Whether a zone's route may stay as it is. */
export function isServed(sight: Sight, zone: string, now: number): boolean {
	const target = sight.routes[zone] ?? null;
	if (target === null) return false;
	const trust = sight.trusted[zone];
	return lives(sight, target) || (trust?.instanceId === target && now < trust.until && isListed(sight, target));
}

const without = <T>(record: Readonly<Record<string, T>>, isOut: (key: string, value: T) => boolean) =>
	Object.fromEntries(Object.entries(record).filter(([key, value]) => !isOut(key, value)));

function withAstray(sight: Sight, now: number): Sight {
	const astray = sight.zones.filter((zone) => !isServed(sight, zone, now));
	return { ...sight, astraySince: Object.fromEntries(astray.map((zone) => [zone, sight.astraySince[zone] ?? now])) };
}

/** How long this gateway must have been well before it takes its zone home from another one that serves it. */
export function homeAfter({ falls }: Sight): number {
	return Math.min(HOME_MS * 2 ** Math.max(0, falls - 1), LONGEST_HOME_MS);
}

/** Of the falls until now. */
function fallsOf(before: Sight, wellSince: number | null, now: number): number {
	if (before.wellSince !== null && wellSince !== before.wellSince) return before.falls + 1;
	return wellSince !== null && now - wellSince >= FORGOTTEN_MS ? 0 : before.falls;
}

/** Takes in who answered: this gateway's own HAProxy, and the others' by instance. */
export function looked(before: Sight, own: boolean, answers: Record<string, boolean>, now: number): Sight {
	const isLate = before.steppedAt !== null && now - before.steppedAt > GAP_MS;
	const sight = isLate ? { ...before, wellSince: null, misses: {}, goneSince: {}, astraySince: {} } : before;
	const misses: Record<string, number> = { ...sight.misses };
	for (const [id, answered] of Object.entries(answers)) misses[id] = answered ? 0 : (misses[id] ?? 0) + 1;
	const gone = Object.keys(misses).filter((id) => (misses[id] ?? 0) >= MISSES);
	const wellSince = own ? (sight.wellSince ?? now) : null;
	const after: Sight = {
		...{ ...sight, misses, steppedAt: now, wellSince, falls: fallsOf(before, wellSince, now) },
		goneSince: Object.fromEntries(gone.map((id) => [id, sight.goneSince[id] ?? now])),
		trusted: without(sight.trusted, (_, { instanceId }) => answers[instanceId] === true),
	};
	return withAstray(after, now);
}

/** Whether EC2 is to be asked for peers and routes in this step. */
export function wantsTold(sight: Sight, now: number): boolean {
	if (sight.toldAt === null || now - sight.toldAt >= ASK_MS) return true;
	if (sight.wellSince === null) return false;
	if (sight.zones.some((zone) => !isServed(sight, zone, now))) return true;
	return sight.routes[sight.zone] !== sight.me && now - sight.wellSince >= homeAfter(sight);
}

/** Somebody led a zone to a gateway that had been silent here for as long as EC2 was last asked: others see it live. */
function trustOf(sight: Sight, zone: string, target: string | null, now: number): Trust | undefined {
	const before = sight.trusted[zone];
	const isNew = sight.toldAt !== null && target !== null && target !== sight.me && target !== sight.routes[zone];
	if (!isNew || (sight.goneSince[target] ?? now) >= (sight.toldAt ?? 0)) return before;
	const ms = before ? Math.min(before.ms * 2, LONGEST_TRUST_MS) : FIRST_TRUST_MS;
	return { instanceId: target, until: now + ms, ms };
}

/** Takes in what EC2 says. */
export function told(before: Sight, peers: readonly Peer[], asRead: Routes, now: number): Sight {
	const isRunning = (id: string) => peers.some(({ instanceId }) => instanceId === id);
	const isSettling = (zone: string) => now - (before.movedAt[zone] ?? Number.NEGATIVE_INFINITY) < SETTLING_MS;
	const routes = Object.fromEntries(
		before.zones.map((zone) => [zone, isSettling(zone) ? (before.routes[zone] ?? null) : (asRead[zone] ?? null)]),
	);
	const sight = { ...before, peers };
	const trusted = before.zones.flatMap((zone) => {
		const trust = trustOf(sight, zone, routes[zone] ?? null, now);
		return trust ? [[zone, trust] as const] : [];
	});
	const after: Sight = {
		...{ ...sight, routes, toldAt: now, trusted: Object.fromEntries(trusted) },
		...{ misses: without(before.misses, (id) => !isRunning(id)), goneSince: without(before.goneSince, (id) => !isRunning(id)) },
	};
	return withAstray(after, now);
}

/** Takes in that a move was made. */
export function moved(sight: Sight, zone: string, now: number): Sight {
	const after = { ...sight, routes: { ...sight.routes, [zone]: sight.me }, movedAt: { ...sight.movedAt, [zone]: now } };
	return withAstray(after, now);
}
