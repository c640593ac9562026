// CreateFleet: the same token gives the same fleet again; a new one launches what its pools give (FACTS 4.2, 4.3).
import type { Boot } from "../instance.ts";
import { allocate, type Placement, type PoolError } from "./allocate.ts";
import type { Faults } from "./faults.ts";
import { type Account, type FleetRequest, type Pool, parseFleetRequest } from "./fleet-request.ts";
import { isAlive, type Machines, newId } from "./machines.ts";
import type { Node } from "./parameters.ts";
import { Ec2Refusal } from "./refusal.ts";
import type { XmlValue } from "./xml.ts";

export interface FleetOptions {
	account: Account;
	machines: Machines;
	faults: Faults;
	boot: Boot;
	/** Machines alive at once. */
	quota: number;
}

type Answer = XmlValue & object;

function overridesElement({ template, instanceType, subnetId }: Pool): XmlValue {
	return {
		launchTemplateSpecification: { launchTemplateId: template.id, version: template.version ?? "1" },
		overrides: { instanceType, subnetId },
	};
}

function errorElement({ pool, market, code, message }: PoolError): XmlValue {
	return { launchTemplateAndOverrides: overridesElement(pool), lifecycle: market, errorCode: code, errorMessage: message };
}

function launchUnits({ pool, market, units }: Placement, request: FleetRequest, fleetId: string, options: FleetOptions): XmlValue {
	const { zone } = pool;
	if (zone === null) throw new Ec2Refusal("InternalError", "a pool without a zone was chosen", 500);
	const own = [
		["aws:ec2:fleet-id", fleetId],
		["aws:ec2launchtemplate:id", pool.template.id],
		["aws:ec2launchtemplate:version", pool.template.version ?? "1"],
	] as const;
	const [reservationId, clientToken] = [newId("r"), `${fleetId}-${pool.instanceType}-${market}`];
	const launched = Array.from({ length: units }, () => {
		const dead = options.faults.deadBoots > 0;
		if (dead) options.faults.deadBoots -= 1;
		const tags = new Map([...(request.tags.get("instance") ?? []), ...own]);
		return options.machines.launch({ pool: { ...pool, zone }, market, reservationId, clientToken, tags, boot: dead ? null : options.boot });
	});
	return {
		launchTemplateAndOverrides: overridesElement(pool),
		lifecycle: market,
		instanceIds: launched.map(({ instanceId }) => instanceId),
		instanceType: pool.instanceType,
		availabilityZone: zone,
		subnetId: pool.subnetId,
	};
}

function createFleet(request: FleetRequest, options: FleetOptions): Answer {
	const free = options.quota - options.machines.listed().filter(isAlive).length;
	const allocation = allocate(request, options.faults.shortages, free);
	const fleetId = `fleet-${crypto.randomUUID()}`;
	const launched = allocation.placements.map((placement) => launchUnits(placement, request, fleetId, options));
	for (const { shortage, units } of allocation.placements) if (shortage) shortage.units = (shortage.units ?? 0) - units;
	return { fleetId, errorSet: allocation.errors.map(errorElement), fleetInstanceSet: launched };
}

/**
 * Remembers every answered token for good, also one whose fleet got nothing: AWS says nothing of forgetting, so the stricter way is
 * the safe one. Refused calls leave no trace. `refuseDryRun` throws if the call only asks whether it might.
 */
export function createFleetAction(
	options: FleetOptions,
): (call: Node, parameters: Record<string, string>, refuseDryRun: () => void) => Answer {
	const answered = new Map<string, { asked: string; answer: Answer }>();
	return (call, { ClientToken, DryRun, ...parameters }, refuseDryRun) => {
		const request = parseFleetRequest(call, options.account);
		const asked = JSON.stringify(Object.entries(parameters).toSorted());
		const known = answered.get(request.token ?? "");
		if (known && known.asked !== asked)
			throw new Ec2Refusal("IdempotentParameterMismatch", "The client token was used before with other parameters.");
		if (known) return known.answer;
		refuseDryRun();
		const answer = createFleet(request, options);
		if (request.token) answered.set(request.token, { asked, answer });
		return answer;
	};
}
