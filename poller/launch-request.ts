// The exact CreateFleet calls of one launch, and its token. Pure and without chance, so that a replay asks for the same.
import { createHash } from "node:crypto";
import type {
	CreateFleetCommandInput,
	FleetBlockDeviceMappingRequest,
	FleetLaunchTemplateOverridesRequest,
	Tag,
} from "@aws-sdk/client-ec2";
import * as v from "valibot";
import type { Infrastructure, ResolvedConfig } from "../contract/config.ts";
import type { Intent } from "../contract/lease.ts";
import type { Volume } from "../contract/size.ts";
import type { Offer } from "./offer.ts";
import type { Group } from "./plan.ts";
import type { Market } from "./ports.ts";

/** The calls of one intent. What the first one lacks is asked of the second, under its own token; both are decided before either is made. */
export interface LaunchCalls {
	first: CreateFleetCommandInput;
	/** Its capacity is what the first call lacked. */
	fallback: CreateFleetCommandInput | null;
}

/** A token for these jobs in this try: their leases differ in the next one. At most 64 ASCII characters (FACTS 4.3). */
export function launchToken({ members }: Group): string {
	const named = members.map(({ item }) => `${item.job.id} ${item.leaseId}`).join("\n");
	return `mayfly-${createHash("sha256").update(named).digest("hex").slice(0, 40)}`;
}

/** What the second call's token has more than the first one's (docs/decisions/0003). */
const FALLBACK = "-od";

/** The token of the intent that a call's token, as an instance's tag has it, belongs to. */
export function intentTokenOf(token: string | null): string | null {
	return token?.endsWith(FALLBACK) ? token.slice(0, -FALLBACK.length) : token;
}

/** The intent for a group: spot first and then on-demand, or on-demand alone. */
export function launchIntent(group: Group, offer: Extract<Offer, { ok: true }>, config: ResolvedConfig): Intent {
	const token = launchToken(group);
	const onDemand = fleetRequest(group, offer, "on-demand", group.first.spot ? `${token}${FALLBACK}` : token, config);
	const calls = group.first.spot
		? { first: fleetRequest(group, offer, "spot", token, config), fallback: onDemand }
		: { first: onDemand, fallback: null };
	return { token, members: group.members.map(({ item }) => item.job.id), request: { ...calls } };
}

function fleetRequest(
	{ first, members }: Group,
	{ types, subnets }: Extract<Offer, { ok: true }>,
	market: Market,
	token: string,
	config: ResolvedConfig,
): CreateFleetCommandInput {
	const { request } = first.admitted;
	const { id, version } = templatesOf(config.infrastructure, request.tier)[request.arch];
	const image = config.images[request.image];
	const disk = request.volume && diskOf(request.volume, image?.rootDevice ?? "");
	const overrides = types.flatMap(({ name }, at) =>
		subnets.map(
			(subnet): FleetLaunchTemplateOverridesRequest => ({
				...{ InstanceType: name as FleetLaunchTemplateOverridesRequest["InstanceType"], SubnetId: subnet.id },
				...(market === "on-demand" && { Priority: at }),
				...(image?.ami && { ImageId: image.ami }),
				...(disk && { BlockDeviceMappings: [disk] }),
			}),
		),
	);
	return {
		Type: "instant",
		ClientToken: token,
		...(market === "spot"
			? { SpotOptions: { AllocationStrategy: "price-capacity-optimized" } }
			: { OnDemandOptions: { AllocationStrategy: "prioritized" } }),
		TargetCapacitySpecification: { TotalTargetCapacity: members.length, DefaultTargetCapacityType: market },
		LaunchTemplateConfigs: [{ LaunchTemplateSpecification: { LaunchTemplateId: id, Version: version }, Overrides: overrides }],
		TagSpecifications: ["instance" as const, "volume" as const].map((ResourceType) => ({
			ResourceType,
			Tags: tagsOf(first, token, config),
		})),
	};
}

/** A tier's own, where its machines have a role (cloudformation/tier-role.yaml). */
function templatesOf({ launchTemplates, tierLaunchTemplates }: Infrastructure, tier: string): Infrastructure["launchTemplates"] {
	return (Object.hasOwn(tierLaunchTemplates, tier) && tierLaunchTemplates[tier]) || launchTemplates;
}

/** The root disk, in place of what the image says of it (EC2 API Reference: FleetEbsBlockDeviceRequest). */
function diskOf({ gib, type, iops, throughput }: Volume, device: string): FleetBlockDeviceMappingRequest {
	return {
		DeviceName: device,
		Ebs: {
			...{ VolumeSize: gib, VolumeType: type ?? "gp3", DeleteOnTermination: true },
			...(iops !== null && { Iops: iops }),
			...(throughput !== null && { Throughput: throughput }),
		},
	};
}

/** How many seconds a machine of its tier may live, as the file said when it was launched. */
export const LIMIT_TAG = "mayfly:limit";

/** What a machine can be found by and judged from, should all else be lost. */
function tagsOf({ item, run, admitted }: Group["first"], token: string, config: ResolvedConfig): Tag[] {
	const tags = {
		"mayfly:stack": config.infrastructure.stack,
		"mayfly:token": token,
		"mayfly:repository": run.repository,
		"mayfly:installation": String(item.job.installationId ?? ""),
		"mayfly:attempt": String(item.job.attempt),
		"mayfly:tier": admitted.request.tier,
		[LIMIT_TAG]: String(Math.ceil((admitted.tier.limits.boot + admitted.tier.limits.maxJob) / 1000)),
		...(!admitted.request.retry && { "mayfly:retry": "false" }),
		...(admitted.request.tag !== null && { "mayfly:tag": admitted.request.tag }),
	};
	return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

const Call = v.looseObject({
	ClientToken: v.string(),
	Type: v.literal("instant"),
	TargetCapacitySpecification: v.looseObject({ TotalTargetCapacity: v.number() }),
});
const Calls = v.object({ first: Call, fallback: v.nullable(Call) });

/** Reads the calls back from an intent; null if it is not one of ours. */
export function launchCallsOf({ request }: Intent): LaunchCalls | null {
	const read = v.safeParse(Calls, request);
	return read.success ? (read.output as unknown as LaunchCalls) : null;
}

/** The second call for what the first one lacked. */
export function withCapacity(call: CreateFleetCommandInput, units: number): CreateFleetCommandInput {
	return { ...call, TargetCapacitySpecification: { ...call.TargetCapacitySpecification, TotalTargetCapacity: units } };
}
