// Reads a CreateFleet call and refuses what EC2 refuses at call level (FACTS 4.2). Pure: parameters in, a request out.
import { integerAt, listAt, type Node, oneOfAt, requiredAt, textAt } from "./parameters.ts";
import { Ec2Refusal, invalid, missing } from "./refusal.ts";
import { readTagSpecifications, type Tags } from "./tags.ts";

export type Market = "spot" | "on-demand";

export interface LaunchTemplate {
	id: string;
	name?: string;
	/** The one version that `$Latest`, `$Default` and its number stand for. */
	version?: string;
	imageId: string;
	architecture: "x86_64" | "arm64";
}

export interface Subnet {
	id: string;
	zone: string;
}

/** What EC2 knows before the call. */
export interface Account {
	launchTemplates: LaunchTemplate[];
	subnets: Subnet[];
	/** By the image's id. */
	imageTags?: Record<string, Record<string, string>>;
}

/** One type in one subnet from one template: where EC2 looks for capacity. */
export interface Pool {
	template: LaunchTemplate;
	instanceType: string;
	subnetId: string;
	/** Null if there is no such subnet: that pool fails, the others may not. */
	zone: string | null;
	imageId: string;
	priority: number | null;
}

export interface FleetRequest {
	token: string | null;
	units: Record<Market, number>;
	minimum: Record<Market, number>;
	byPriority: Record<Market, boolean>;
	pools: Pool[];
	tags: Map<string, Tags>;
}

const SPOT_STRATEGIES = [
	"price-capacity-optimized",
	"capacity-optimized",
	"capacity-optimized-prioritized",
	"lowest-price",
	"diversified",
] as const;
const ON_DEMAND_STRATEGIES = ["lowest-price", "prioritized"] as const;
const MARKETS = ["spot", "on-demand"] as const;
const MAX_UNITS = 10_000;
const MAX_OVERRIDES = 300;

const OVERRIDE = ["InstanceType", "SubnetId", "Priority", "ImageId", "BlockDeviceMapping.#.DeviceName"];
const EBS = ["VolumeSize", "VolumeType", "Iops", "Throughput", "Encrypted", "DeleteOnTermination"];
const OPTIONS = ["AllocationStrategy", "SingleInstanceType", "SingleAvailabilityZone", "MinTargetCapacity"];
export const FLEET_PARAMETERS = [
	"ClientToken",
	"Type",
	...["LaunchTemplateId", "LaunchTemplateName", "Version"].map((name) => `LaunchTemplateConfigs.#.LaunchTemplateSpecification.${name}`),
	...OVERRIDE.map((name) => `LaunchTemplateConfigs.#.Overrides.#.${name}`),
	...EBS.map((name) => `LaunchTemplateConfigs.#.Overrides.#.BlockDeviceMapping.#.Ebs.${name}`),
	...["TotalTargetCapacity", "SpotTargetCapacity", "OnDemandTargetCapacity", "DefaultTargetCapacityType"].map(
		(name) => `TargetCapacitySpecification.${name}`,
	),
	...["SpotOptions", "OnDemandOptions"].flatMap((options) => OPTIONS.map((name) => `${options}.${name}`)),
	"SpotOptions.InstanceInterruptionBehavior",
	"TagSpecification.#.ResourceType",
	"TagSpecification.#.Tag.#.Key",
	"TagSpecification.#.Tag.#.Value",
];

function findTemplate(config: Node, account: Account): LaunchTemplate {
	const specification = config.children.get("LaunchTemplateSpecification");
	if (!specification) throw missing("LaunchTemplateSpecification");
	const [id, name] = [textAt(specification, "LaunchTemplateId"), textAt(specification, "LaunchTemplateName")];
	if (id && name) throw new Ec2Refusal("InvalidParameterCombination", "Give LaunchTemplateId or LaunchTemplateName, not both");
	if (!id && !name) throw missing("LaunchTemplateId");
	const version = requiredAt(specification, "Version");
	const found = account.launchTemplates.find((template) => (id ? template.id === id : template.name === name));
	if (!found && id)
		throw new Ec2Refusal("InvalidLaunchTemplateId.NotFound", `The specified launch template, with template ID ${id}, does not exist.`);
	if (!found)
		throw new Ec2Refusal(
			"InvalidLaunchTemplateName.NotFoundException",
			`The specified launch template, with template name ${name}, does not exist.`,
		);
	if (!["$Latest", "$Default", found.version ?? "1"].includes(version))
		throw new Ec2Refusal(
			"InvalidLaunchTemplateId.VersionNotFound",
			`Could not find the specified version ${version} for the launch template with ID ${found.id}.`,
		);
	return found;
}

function readPool(override: Node, template: LaunchTemplate, account: Account): Pool {
	const priority = textAt(override, "Priority");
	if (priority !== null && !(Number(priority) >= 0)) throw invalid(`Value (${priority}) for parameter Priority is invalid.`);
	const subnetId = requiredAt(override, "SubnetId");
	return {
		template,
		instanceType: requiredAt(override, "InstanceType"),
		subnetId,
		zone: account.subnets.find((subnet) => subnet.id === subnetId)?.zone ?? null,
		imageId: textAt(override, "ImageId") ?? template.imageId,
		priority: priority === null ? null : Number(priority),
	};
}

function readPools(call: Node, account: Account): Pool[] {
	const configs = listAt(call, "LaunchTemplateConfigs");
	if (configs.length === 0) throw missing("LaunchTemplateConfigs");
	const pools = configs.flatMap((config) => {
		const template = findTemplate(config, account);
		const overrides = listAt(config, "Overrides");
		if (overrides.length === 0) throw missing("Overrides");
		return overrides.map((override) => readPool(override, template, account));
	});
	if (pools.length > MAX_OVERRIDES) throw invalid(`A request can hold at most ${MAX_OVERRIDES} overrides.`);
	return pools;
}

/** EC2's words for two subnets of one zone, and for one pool named twice, are the same. */
function refuseDuplicates(pools: Pool[]): void {
	const names = pools.map((pool) => `${pool.instanceType} ${pool.subnetId} ${pool.template.id}`);
	const zones = new Map(pools.map((pool) => [pool.subnetId, pool.zone]));
	const known = [...zones.values()].filter((zone) => zone !== null);
	if (new Set(names).size < names.length || new Set(known).size < known.length)
		throw new Ec2Refusal("InvalidFleetConfig", "The fleet configuration contains duplicate instance pools.");
}

function readUnits(call: Node): Record<Market, number> {
	const specification = call.children.get("TargetCapacitySpecification");
	if (!specification) throw missing("TargetCapacitySpecification");
	requiredAt(specification, "TotalTargetCapacity");
	const total = integerAt(specification, "TotalTargetCapacity") ?? 0;
	if (total < 1) throw invalid(`Value (${total}) for parameter TotalTargetCapacity is invalid. It must be at least 1`);
	if (total > MAX_UNITS) throw new Ec2Refusal("TargetCapacityLimitExceededException", `A fleet can have at most ${MAX_UNITS} units.`);
	const rest = oneOfAt(specification, "DefaultTargetCapacityType", MARKETS) ?? "on-demand";
	const named = {
		spot: integerAt(specification, "SpotTargetCapacity") ?? 0,
		"on-demand": integerAt(specification, "OnDemandTargetCapacity") ?? 0,
	};
	const left = total - named.spot - named["on-demand"];
	if (left < 0 || named.spot < 0 || named["on-demand"] < 0) throw invalid("The target capacities do not add up to TotalTargetCapacity.");
	return { ...named, [rest]: named[rest] + left };
}

function readMinimum(call: Node, options: string): number {
	const minimum = integerAt(call, `${options}.MinTargetCapacity`) ?? 0;
	const single = ["SingleInstanceType", "SingleAvailabilityZone"].some((name) => textAt(call, `${options}.${name}`) === "true");
	if (minimum > 0 && !single)
		throw new Ec2Refusal("InvalidParameterCombination", "MinTargetCapacity needs SingleInstanceType or SingleAvailabilityZone.");
	return minimum;
}

/** Reads the call; the default type of a fleet is `maintain`, which nothing here could keep up, so only `instant` passes. */
export function parseFleetRequest(call: Node, account: Account): FleetRequest {
	const type = requiredAt(call, "Type");
	if (type !== "instant") throw new Ec2Refusal("UnsupportedOperation", `Fleets of type ${type} are not supported here, only instant ones.`);
	const token = textAt(call, "ClientToken");
	if (token !== null && !/^[\x21-\x7e]{1,64}$/.test(token)) throw invalid("ClientToken must be at most 64 ASCII characters.");
	const spot = oneOfAt(call, "SpotOptions.AllocationStrategy", SPOT_STRATEGIES);
	const onDemand = oneOfAt(call, "OnDemandOptions.AllocationStrategy", ON_DEMAND_STRATEGIES);
	oneOfAt(call, "SpotOptions.InstanceInterruptionBehavior", ["terminate"]);
	const pools = readPools(call, account);
	refuseDuplicates(pools);
	return {
		token,
		units: readUnits(call),
		minimum: { spot: readMinimum(call, "SpotOptions"), "on-demand": readMinimum(call, "OnDemandOptions") },
		byPriority: { spot: spot === "capacity-optimized-prioritized", "on-demand": onDemand === "prioritized" },
		pools,
		tags: readTagSpecifications(call),
	};
}
