// Makes the fleet of an intent: the first call, then the fallback for what it lacked. Asked again with the same intent it gives the same machines.
import type { CreateFleetCommandInput } from "@aws-sdk/client-ec2";
import { Ec2Error } from "./ec2.ts";
import { type Failure, failureOf, failureOfCall } from "./ec2-errors.ts";
import { type LaunchCalls, withCapacity } from "./launch-request.ts";
import type { FleetAnswer, Ports } from "./ports.ts";

export interface Fleet {
	/** In the order in which they are given to members. */
	instanceIds: string[];
	/** Why there are fewer machines than wanted, where there are. */
	missing: Failure;
	/** False: EC2 did not say, and may have launched more than is known. The same intent asks again. */
	isAnswered: boolean;
}

/** What another market may still have: spot runs short or over its own quota. */
const FALLS_BACK: Failure["class"][] = ["capacity", "quota"];

/** `replayed`: the intent was carried out before, which may have launched. */
export async function makeFleet(ports: Ports, { first, fallback }: LaunchCalls, wanted: number, replayed: boolean): Promise<Fleet> {
	ports.prices.expect(spotTypesOf(first));
	const begun = await ask(ports, first, replayed);
	const lacking = wanted - begun.instanceIds.length;
	if (lacking <= 0 || !fallback || !begun.isAnswered || !FALLS_BACK.includes(begun.missing.class)) return begun;
	ports.metrics.fallback();
	ports.log.info({ token: fallback.ClientToken, lacking, reason: begun.missing.reason }, "falling back to on-demand");
	const rest = await ask(ports, withCapacity(fallback, lacking), replayed);
	return { ...rest, instanceIds: [...begun.instanceIds, ...rest.instanceIds] };
}

/** List prices are known; those of spot are asked for beside the launch. */
function spotTypesOf({ TargetCapacitySpecification, LaunchTemplateConfigs = [] }: CreateFleetCommandInput): string[] {
	if (TargetCapacitySpecification?.DefaultTargetCapacityType !== "spot") return [];
	const overrides = LaunchTemplateConfigs.flatMap(({ Overrides = [] }) => Overrides);
	return [...new Set(overrides.flatMap(({ InstanceType }) => InstanceType ?? []))];
}

/** An answer with fewer machines than asked for, or none at all, is an answer: capacity is told in an HTTP 200 (FACTS 4.2). */
async function ask(ports: Ports, call: CreateFleetCommandInput, replayed: boolean): Promise<Fleet> {
	try {
		return fleetOf(await ports.ec2.createFleet(call));
	} catch (error) {
		if (!(error instanceof Ec2Error)) throw error;
		if (error.code === "IdempotentParameterMismatch") return findFleet(ports, call);
		ports.log.warn({ token: call.ClientToken, code: error.code, error: error.message }, "CreateFleet failed");
		const { isAnswered, ...missing } = failureOfCall(error);
		// A throttled call was not looked at: it says nothing of one before it under the same token.
		const isOfAll = !replayed || missing.class !== "throttled";
		return { instanceIds: [], missing, isAnswered: isAnswered && isOfAll };
	}
}

function fleetOf({ instanceIds, errors }: FleetAnswer): Fleet {
	return { instanceIds: instanceIds.toSorted(), missing: failureOf(errors), isAnswered: true };
}

const LOOKS = 5;
const PAUSE_MS = 1000;

/** The token was used with other parameters: whatever it launched carries it as a tag. */
async function findFleet(ports: Ports, { ClientToken = "" }: CreateFleetCommandInput): Promise<Fleet> {
	for (let look = 1; look <= LOOKS; look++) {
		const found = await ports.ec2.withTag("mayfly:token", [ClientToken]).catch(unfound);
		if (!Array.isArray(found)) return { instanceIds: [], missing: found, isAnswered: false };
		if (found.length > 0) return fleetOf({ instanceIds: found.map(({ instanceId }) => instanceId), errors: [] });
		await ports.sleep(PAUSE_MS);
	}
	const reason = `the token ${ClientToken} was used with other parameters, and no machine carries it`;
	return { instanceIds: [], missing: { class: "unknown", reason }, isAnswered: true };
}

function unfound(error: unknown): Failure {
	if (!(error instanceof Ec2Error)) throw error;
	return failureOfCall(error);
}
