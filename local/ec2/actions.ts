// The calls that the EC2 stand-in knows: for each the parameters it understands, and its effect. A decision is in its own file.
import { createFleet, type Ec2State } from "./create-fleet.ts";
import { findInstances, pageElement, selectInstances, stateElement } from "./describe.ts";
import { FLEET_PARAMETERS } from "./fleet-request.ts";
import { IMAGE_PARAMETERS, imagesElement } from "./images.ts";
import { allInstanceTypes, findInstanceType, type InstanceType } from "./instance-types.ts";
import { endInstance, type Instance, listInstances, REASONS } from "./machines.ts";
import { listAt, type Node, refuseDryRun, refuseUnknown, textsAt } from "./parameters.ts";
import { Ec2Refusal, invalid, missing } from "./refusal.ts";
import { SPOT_PRICE_PARAMETERS, spotPriceElement } from "./spot-prices.ts";
import { mergeTags, readTags } from "./tags.ts";
import type { XmlValue } from "./xml.ts";

export interface ActionCall {
	action: string;
	/** The form body as it came, as a tree, and flat without Action and Version. */
	body: string;
	node: Node;
	parameters: Record<string, string>;
}

interface Action {
	known: string[];
	run(call: ActionCall, state: Ec2State): XmlValue & object;
}

const MAX_RESOURCES = 1000;

function readIds(node: Node, name: string): string[] {
	const ids = [...new Set(textsAt(node, name))];
	if (ids.length === 0) throw missing(name);
	if (ids.length > MAX_RESOURCES) throw invalid(`At most ${MAX_RESOURCES} resources can be named in one call.`);
	return ids;
}

function terminate(node: Node, visible: Instance[], { machines }: Ec2State): XmlValue & object {
	const found = findInstances(readIds(node, "InstanceId"), visible);
	refuseDryRun(node);
	const changes = found.map((instance) => {
		const previousState = stateElement(instance.state);
		void endInstance(machines, instance, REASONS.user);
		return { instanceId: instance.instanceId, currentState: stateElement(instance.state), previousState };
	});
	return { instancesSet: changes };
}

function createTags(node: Node, visible: Instance[]): XmlValue & object {
	const ids = readIds(node, "ResourceId");
	const other = ids.find((id) => !id.startsWith("i-"));
	if (other !== undefined) throw new Ec2Refusal("InvalidID", `The ID '${other}' is not valid`);
	if (listAt(node, "Tag").length === 0) throw missing("Tag");
	const added = readTags(node);
	const tagged = findInstances(ids, visible).map((instance) => ({ instance, tags: mergeTags(instance.tags, added) }));
	refuseDryRun(node);
	for (const { instance, tags } of tagged) instance.tags = tags;
	return { return: true };
}

function typeElement({ name, architecture, vcpus, memoryMiB }: InstanceType): XmlValue {
	return {
		instanceType: name,
		currentGeneration: true,
		supportedUsageClasses: ["on-demand", "spot"],
		processorInfo: { supportedArchitectures: [architecture] },
		vCpuInfo: { defaultVCpus: vcpus },
		memoryInfo: { sizeInMiB: memoryMiB },
	};
}

function describeTypes(node: Node): XmlValue & object {
	const names = textsAt(node, "InstanceType");
	const unknown = names.filter((name) => !findInstanceType(name));
	if (unknown.length > 0)
		throw new Ec2Refusal("InvalidInstanceType", `The following supplied instance types do not exist: [${unknown.join(", ")}]`);
	refuseDryRun(node);
	return {
		instanceTypeSet: (names.length > 0 ? names.flatMap((name) => findInstanceType(name) ?? []) : allInstanceTypes()).map(typeElement),
	};
}

function describeInstances(node: Node, visible: Instance[]): XmlValue & object {
	const page = selectInstances(node, visible);
	refuseDryRun(node);
	return pageElement(page);
}

/** New instances may be unknown for a while. */
function visible({ machines, faults }: Ec2State): Instance[] {
	return listInstances(machines).filter(({ launchedAt }) => machines.now() >= launchedAt + faults.consistencyDelayMs);
}

const ACTIONS: Record<string, Action> = {
	CreateFleet: { known: FLEET_PARAMETERS, run: ({ node, parameters }, state) => createFleet(node, parameters, state) },
	DescribeInstances: {
		known: ["InstanceId.#", "Filter.#.Name", "Filter.#.Value.#", "MaxResults", "NextToken"],
		run: ({ node }, state) => describeInstances(node, visible(state)),
	},
	TerminateInstances: { known: ["InstanceId.#"], run: ({ node }, state) => terminate(node, visible(state), state) },
	CreateTags: { known: ["ResourceId.#", "Tag.#.Key", "Tag.#.Value"], run: ({ node }, state) => createTags(node, visible(state)) },
	DescribeSpotPriceHistory: {
		known: SPOT_PRICE_PARAMETERS,
		run({ node }, { account, machines }) {
			const page = spotPriceElement(node, account, machines.now());
			refuseDryRun(node);
			return page;
		},
	},
	DescribeImages: {
		known: IMAGE_PARAMETERS,
		run({ node }, { account }) {
			const images = imagesElement(node, account);
			refuseDryRun(node);
			return images;
		},
	},
	DescribeInstanceTypes: { known: ["InstanceType.#"], run: ({ node }) => describeTypes(node) },
};

/** Runs one call at once and gives the content of its answer; throws an Ec2Refusal for what EC2 would refuse. */
export function runAction(call: ActionCall, state: Ec2State): XmlValue & object {
	const action = Object.hasOwn(ACTIONS, call.action) ? ACTIONS[call.action] : undefined;
	if (!action) throw new Ec2Refusal("InvalidAction", `The action ${call.action} is not valid for this web service.`);
	refuseUnknown(call.body, action.known);
	return action.run(call, state);
}
