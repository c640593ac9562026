// Decides which pools give the machines of a fleet and which fail, as CreateFleet answers it (FACTS 4.2). Pure.
import type { FleetRequest, Market, Pool } from "./fleet-request.ts";
import { findInstanceType } from "./instance-types.ts";

/** A pool that runs short: unset fields match anything. */
export interface Shortage {
	instanceType?: string;
	subnetId?: string;
	market?: Market;
	/** Units that the pools it matches still give together; 0 unless told. Each launch takes from it. */
	units?: number;
	/** `InsufficientInstanceCapacity` unless told; `RequestLimitExceeded` is throttling inside a successful answer. */
	code?: string;
}

/** A pool in a subnet that is there. */
export type ZonedPool = Pool & { zone: string };

export interface Placement {
	pool: ZonedPool;
	market: Market;
	units: number;
	/** What the units are taken from, if the pool runs short. */
	shortage: Shortage | null;
}

export interface PoolError {
	pool: Pool;
	market: Market;
	code: string;
	message: string;
}

export interface Allocation {
	placements: Placement[];
	errors: PoolError[];
}

const CAPACITY = "InsufficientInstanceCapacity";
const MESSAGES: Record<string, (pool: Pool) => string> = {
	[CAPACITY]: ({ instanceType, zone }) =>
		`We currently do not have sufficient ${instanceType} capacity in the Availability Zone you requested (${zone}). Our system will be working on provisioning additional capacity.`,
	RequestLimitExceeded: () => "Request limit exceeded.",
	MaxSpotInstanceCountExceeded: () => "Max spot instance count exceeded",
	VcpuLimitExceeded: () => "You have requested more vCPU capacity than your current vCPU limit allows for the instance bucket.",
	UnfulfillableCapacity: () => "Unable to fulfill capacity due to your request configuration. Please adjust your request and try again.",
};

/** The pool, if it can give machines at all, or what is wrong with it whatever capacity there is. */
function checkPool(pool: Pool, market: Market): ZonedPool | PoolError {
	const fault = (code: string, message: string): PoolError => ({ pool, market, code, message });
	const { zone, instanceType, subnetId, template } = pool;
	const type = findInstanceType(instanceType);
	if (zone === null) return fault("InvalidSubnetID.NotFound", `The subnet ID '${subnetId}' does not exist`);
	if (type === null)
		return fault(
			"InvalidFleetConfiguration",
			`Your requested instance type (${instanceType}) is not supported in your requested Availability Zone (${zone}).`,
		);
	if (type.architecture !== template.architecture)
		return fault(
			"InvalidParameterValue",
			`The architecture '${type.architecture}' of the specified instance type does not match the architecture '${template.architecture}' of the specified AMI.`,
		);
	return { ...pool, zone };
}

function shortageOf(pool: Pool, market: Market, shortages: Shortage[]): Shortage | null {
	const fits = ({ instanceType, subnetId, market: wanted }: Shortage) =>
		(instanceType ?? pool.instanceType) === pool.instanceType &&
		(subnetId ?? pool.subnetId) === pool.subnetId &&
		(wanted ?? market) === market;
	return shortages.find(fits) ?? null;
}

function inOrder(pools: Pool[], byPriority: boolean): Pool[] {
	return byPriority ? pools.toSorted((a, b) => (a.priority ?? Number.MAX_VALUE) - (b.priority ?? Number.MAX_VALUE)) : pools;
}

/** How much can still be had while one request is filled. */
interface Supply {
	machines: number;
	units: Map<Shortage, number>;
}

/** Takes from one pool what it gives of what is wanted. */
function takeFrom(pool: ZonedPool, market: Market, wanted: number, supply: Supply): Allocation {
	const shortage = shortageOf(pool, market, [...supply.units.keys()]);
	const given = shortage ? (supply.units.get(shortage) ?? 0) : wanted;
	const units = Math.min(wanted, supply.machines, given);
	if (shortage) supply.units.set(shortage, given - units);
	supply.machines -= units;
	const code = given < wanted ? (shortage?.code ?? CAPACITY) : CAPACITY;
	return {
		placements: units > 0 ? [{ pool, market, units, shortage }] : [],
		errors: units < wanted ? [{ pool, market, code, message: MESSAGES[code]?.(pool) ?? code }] : [],
	};
}

function allocateMarket(request: FleetRequest, market: Market, supply: Supply): Allocation {
	const found: Allocation = { placements: [], errors: [] };
	let wanted = request.units[market];
	if (wanted === 0) return found;
	for (const each of inOrder(request.pools, request.byPriority[market])) {
		const pool = checkPool(each, market);
		if ("code" in pool) found.errors.push(pool);
		if ("code" in pool || wanted === 0) continue;
		const { placements, errors } = takeFrom(pool, market, wanted, supply);
		found.placements.push(...placements);
		found.errors.push(...errors);
		for (const { units } of placements) wanted -= units;
	}
	const got = request.units[market] - wanted;
	return got < request.minimum[market] ? { placements: [], errors: found.errors } : found;
}

/**
 * Fills a fleet from its pools in the order of the request, or of their priorities: there are no prices here. A pool that gives less
 * than is still wanted is an error, and the next one is asked. `free` is what is left of the account's quota, in machines.
 */
export function allocate(request: FleetRequest, shortages: Shortage[], free: number): Allocation {
	const supply = { machines: free, units: new Map(shortages.map((shortage) => [shortage, shortage.units ?? 0])) };
	const spot = allocateMarket(request, "spot", supply);
	const onDemand = allocateMarket(request, "on-demand", supply);
	return { placements: [...spot.placements, ...onDemand.placements], errors: [...spot.errors, ...onDemand.errors] };
}
