// The calls that the EC2 stand-in knows: for each the parameters it understands, and its effect. A decision is in its own file.
import { createFleetAction, type FleetOptions } from "./create-fleet.ts";
import { findInstances, pageElement, selectInstances, stateElement } from "./describe.ts";
import { FLEET_PARAMETERS } from "./fleet-request.ts";
import { allInstanceTypes, findInstanceType, type InstanceType } from "./instance-types.ts";
import { type Instance, REASONS } from "./machines.ts";
import { listAt, type Node, refuseUnknown, textAt, textsAt } from "./parameters.ts";
import { Ec2Refusal, invalid, missing } from "./refusal.ts";
import { mergeTags, readTags } from "./tags.ts";
import type { XmlValue } from "./xml.ts";

export interface ActionCall {
	node: Node;
	parameters: Record<string, string>;
}

interface Action {
	known: string[];
	run(call: ActionCall): XmlValue & object;
}

const MAX_RESOURCES = 1000;

function refuseDryRun(node: Node): void {
	if (textAt(node, "DryRun") === "true")
		throw new Ec2Refusal("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412);
}

function readIds(node: Node, name: string): string[] {
	const ids = [...new Set(textsAt(node, name))];
	if (ids.length === 0) throw missing(name);
	if (ids.length > MAX_RESOURCES) throw invalid(`At most ${MAX_RESOURCES} resources can be named in one call.`);
	return ids;
}

function terminate(node: Node, visible: Instance[], { machines }: FleetOptions): XmlValue & object {
	const found = findInstances(readIds(node, "InstanceId"), visible);
	refuseDryRun(node);
	const changes = found.map((instance) => {
		const previousState = stateElement(instance.state);
		void machines.end(instance, REASONS.user);
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

/** The table of calls, and how one is run; throws an Ec2Refusal for what EC2 would refuse. */
export function createActions(
	options: FleetOptions & { now: () => number },
): (name: string, body: string, call: ActionCall) => XmlValue & object {
	const visible = () =>
		options.machines.listed().filter(({ launchedAt }) => options.now() >= launchedAt + options.faults.consistencyDelayMs);
	const createFleet = createFleetAction(options);
	const tag = ["Tag.#.Key", "Tag.#.Value"];
	const actions: Record<string, Action> = {
		CreateFleet: { known: FLEET_PARAMETERS, run: ({ node, parameters }) => createFleet(node, parameters, () => refuseDryRun(node)) },
		DescribeInstances: {
			known: ["InstanceId.#", "Filter.#.Name", "Filter.#.Value.#", "MaxResults", "NextToken"],
			run: ({ node }) => {
				const page = selectInstances(node, visible());
				refuseDryRun(node);
				return pageElement(page);
			},
		},
		TerminateInstances: { known: ["InstanceId.#"], run: ({ node }) => terminate(node, visible(), options) },
		CreateTags: { known: ["ResourceId.#", ...tag], run: ({ node }) => createTags(node, visible()) },
		DescribeInstanceTypes: { known: ["InstanceType.#"], run: ({ node }) => describeTypes(node) },
	};
	return (name, body, call) => {
		const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
		if (!action) throw new Ec2Refusal("InvalidAction", `The action ${name} is not valid for this web service.`);
		refuseUnknown(body, action.known);
		return action.run(call);
	};
}
