// CreateFleet: the same token gives the same fleet again; a new one launches what its pools give (FACTS 4.2, 4.3).
import type { Boot } from "../instance.ts";
import { allocate, type Placement, type PoolError } from "./allocate.ts";
import type { Faults } from "./faults.ts";
import { type Account, type FleetRequest, type LaunchTemplate, type Pool, parseFleetRequest } from "./fleet-request.ts";
import { isAlive, launchInstance, listInstances, type Machines, newId } from "./machines.ts";
import { type Node, refuseDryRun } from "./parameters.ts";
import { Ec2Refusal } from "./refusal.ts";
import type { Tags } from "./tags.ts";
import type { XmlValue } from "./xml.ts";

/** What every call works on. */
export interface Ec2State {
	account: Account;
	machines: Machines;
	faults: Faults;
	boot: Boot;
	/** Machines alive at once. */
	quota: number;
	/** The answer to each client token, and what was asked with it. */
	answered: Map<string, { asked: string; answer: Answer }>;
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

/** The tags that EC2 itself puts on what a fleet launches. */
function ownTags(fleetId: string, { id, version }: LaunchTemplate): Tags {
	return new Map([
		["aws:ec2:fleet-id", fleetId],
		["aws:ec2launchtemplate:id", id],
		["aws:ec2launchtemplate:version", version ?? "1"],
	]);
}

function takeDeadBoot(faults: Faults): boolean {
	const dead = faults.deadBoots > 0;
	if (dead) faults.deadBoots -= 1;
	return dead;
}

function launchUnits({ pool, market, units }: Placement, { tags }: FleetRequest, fleetId: string, state: Ec2State): XmlValue {
	const facts = { pool, market, reservationId: newId("r"), clientToken: `${fleetId}-${pool.instanceType}-${market}` };
	const launched = Array.from({ length: units }, () =>
		launchInstance(state.machines, {
			...facts,
			tags: new Map([...(tags.get("instance") ?? []), ...ownTags(fleetId, pool.template)]),
			boot: takeDeadBoot(state.faults) ? null : state.boot,
		}),
	);
	return {
		launchTemplateAndOverrides: overridesElement(pool),
		lifecycle: market,
		instanceIds: launched.map(({ instanceId }) => instanceId),
		instanceType: pool.instanceType,
		availabilityZone: pool.zone,
		subnetId: pool.subnetId,
	};
}

function launchFleet(request: FleetRequest, state: Ec2State): Answer {
	const free = state.quota - listInstances(state.machines).filter(isAlive).length;
	const { placements, errors } = allocate(request, state.faults.shortages, free);
	const fleetId = `fleet-${crypto.randomUUID()}`;
	const launched = placements.map((placement) => launchUnits(placement, request, fleetId, state));
	for (const { shortage, units } of placements) if (shortage) shortage.units = (shortage.units ?? 0) - units;
	return { fleetId, errorSet: errors.map(errorElement), fleetInstanceSet: launched };
}

/**
 * Remembers every answered token for good, also one whose fleet got nothing: AWS says nothing of forgetting, so the stricter way is
 * the safe one. Refused calls leave no trace.
 */
export function createFleet(call: Node, { ClientToken, DryRun, ...parameters }: Record<string, string>, state: Ec2State): Answer {
	const request = parseFleetRequest(call, state.account);
	const asked = JSON.stringify(Object.entries(parameters).toSorted());
	const known = state.answered.get(request.token ?? "");
	if (known && known.asked !== asked)
		throw new Ec2Refusal("IdempotentParameterMismatch", "The client token was used before with other parameters.");
	if (known) return known.answer;
	refuseDryRun(call);
	const answer = launchFleet(request, state);
	if (request.token) state.answered.set(request.token, { asked, answer });
	return answer;
}
