// DescribeInstances: which instances a call asks for, and how each is written (EC2 API Reference). Pure.
import type { Instance, State } from "./machines.ts";
import { integerAt, listAt, type Node, textAt, textsAt } from "./parameters.ts";
import { Ec2Refusal, invalid } from "./refusal.ts";
import type { XmlValue } from "./xml.ts";

export const OWNER_ID = "000000000000";
const VPC_ID = "vpc-00000000000000001";

export const STATE_CODES: Record<State, number> = { pending: 0, running: 16, "shutting-down": 32, terminated: 48 };
export const stateElement = (state: State) => ({ code: STATE_CODES[state], name: state });

export interface Page {
	instances: Instance[];
	nextToken: string | null;
}

const FIELDS: Record<string, (instance: Instance) => string[]> = {
	"instance-id": ({ instanceId }) => [instanceId],
	"instance-state-name": ({ state }) => [state],
	"instance-type": ({ pool }) => [pool.instanceType],
	"instance-lifecycle": ({ market }) => (market === "spot" ? ["spot"] : []),
	"client-token": ({ clientToken }) => [clientToken],
	"subnet-id": ({ pool }) => [pool.subnetId],
	"availability-zone": ({ pool }) => [pool.zone],
	"private-ip-address": ({ privateIp }) => [privateIp],
	"image-id": ({ pool }) => [pool.imageId],
	"tag-key": ({ tags }) => [...tags.keys()],
};

/** `*` and `?` in a filter's value stand for any text and any character. */
function patternOf(value: string): RegExp {
	const source = value
		.replace(/[.+^${}()|[\]\\]/g, "\\$&")
		.replace(/\*/g, ".*")
		.replace(/\?/g, ".");
	return new RegExp(`^${source}$`, "s");
}

function fieldOf(name: string): (instance: Instance) => string[] {
	if (name.startsWith("tag:")) return ({ tags }) => [tags.get(name.slice("tag:".length)) ?? []].flat();
	const field = FIELDS[name];
	if (!field) throw invalid(`The filter '${name}' is invalid`);
	return field;
}

function readFilter(node: Node): (instance: Instance) => boolean {
	const field = fieldOf(textAt(node, "Name") ?? "");
	const patterns = textsAt(node, "Value").map(patternOf);
	if (patterns.length === 0) throw invalid("The filter 'null' is invalid");
	return (instance) => field(instance).some((value) => patterns.some((pattern) => pattern.test(value)));
}

/** The instances with these ids; one unknown id refuses the whole call. */
export function findInstances(ids: string[], instances: Instance[]): Instance[] {
	const malformed = ids.find((id) => !/^i-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id));
	if (malformed !== undefined) throw new Ec2Refusal("InvalidInstanceID.Malformed", `Invalid id: "${malformed}"`);
	const unknown = ids.filter((id) => !instances.some(({ instanceId }) => instanceId === id));
	if (unknown.length > 0) {
		const subject = unknown.length === 1 ? "instance ID" : "instance IDs";
		throw new Ec2Refusal(
			"InvalidInstanceID.NotFound",
			`The ${subject} '${unknown.join(", ")}' ${unknown.length === 1 ? "does" : "do"} not exist`,
		);
	}
	return instances.filter(({ instanceId }) => ids.includes(instanceId));
}

function afterToken(token: string | null): number {
	if (token === null) return -1;
	const match = /^after-(\d+)$/.exec(Buffer.from(token, "base64url").toString());
	if (!match) throw new Ec2Refusal("InvalidNextToken", "The token is not valid");
	return Number(match[1]);
}

/** What a DescribeInstances call asks for, of the instances that can be seen. */
export function selectInstances(call: Node, instances: Instance[]): Page {
	const ids = textsAt(call, "InstanceId");
	const most = integerAt(call, "MaxResults");
	if (most !== null && ids.length > 0)
		throw new Ec2Refusal("InvalidParameterCombination", "The parameter instancesSet cannot be used with the parameter maxResults");
	if (most !== null && (most < 5 || most > 1000))
		throw invalid(`Value ( ${most} ) for parameter maxResults is invalid. Expecting a value from 5 to 1000.`);
	const after = afterToken(textAt(call, "NextToken"));
	const filters = listAt(call, "Filter").map(readFilter);
	const named = ids.length > 0 ? findInstances(ids, instances) : instances;
	const found = named.filter((instance) => instance.ordinal > after && filters.every((filter) => filter(instance)));
	const page = found.slice(0, most ?? found.length);
	const last = page.at(-1);
	return {
		instances: page,
		nextToken: last && page.length < found.length ? Buffer.from(`after-${last.ordinal}`).toString("base64url") : null,
	};
}

/** A terminated instance has lost its network interface, so its addresses and subnet are gone too. */
function networkOf({ state, privateIp, pool }: Instance): XmlValue & object {
	if (state === "terminated") return {};
	return {
		privateIpAddress: privateIp,
		subnetId: pool.subnetId,
		vpcId: VPC_ID,
		privateDnsName: `ip-${privateIp.replaceAll(".", "-")}.ec2.internal`,
	};
}

function instanceElement(instance: Instance): XmlValue {
	const { pool, reason, tags } = instance;
	return {
		instanceId: instance.instanceId,
		imageId: pool.imageId,
		instanceState: stateElement(instance.state),
		reason: reason?.message ?? "",
		amiLaunchIndex: 0,
		instanceType: pool.instanceType,
		launchTime: new Date(Math.floor(instance.launchedAt / 1000) * 1000),
		placement: { availabilityZone: pool.zone, groupName: "", tenancy: "default" },
		monitoring: { state: "disabled" },
		...networkOf(instance),
		stateReason: reason ? { code: reason.code, message: reason.message } : null,
		architecture: pool.template.architecture,
		rootDeviceType: "ebs",
		rootDeviceName: "/dev/sda1",
		virtualizationType: "hvm",
		instanceLifecycle: instance.market === "spot" ? "spot" : null,
		clientToken: instance.clientToken,
		tagSet: [...tags].map(([key, value]) => ({ key, value })),
		hypervisor: "xen",
		ebsOptimized: false,
		enaSupport: true,
	};
}

/** Instances that were launched together form one reservation. */
export function pageElement({ instances, nextToken }: Page): XmlValue & object {
	const reservations = Map.groupBy(instances, ({ reservationId }) => reservationId);
	return {
		reservationSet: [...reservations].map(([reservationId, members]) => ({
			reservationId,
			ownerId: OWNER_ID,
			groupSet: [],
			instancesSet: members.map(instanceElement),
		})),
		nextToken,
	};
}
