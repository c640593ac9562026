// EC2 as the poller uses it. Touches the network; decides nothing.
import {
	type _InstanceType,
	CreateFleetCommand,
	CreateTagsCommand,
	type Instance as Described,
	DescribeImagesCommand,
	DescribeInstancesCommand,
	DescribeSpotPriceHistoryCommand,
	EC2Client,
	type Filter,
	type Tag,
	TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import type { AwsCredentials } from "../aws/request.ts";
import type { Ec2, FleetAnswer, Image, Instance, SpotPrice } from "./ports.ts";

/** A call that EC2 refused or did not answer. `code` is EC2's own, such as `RequestLimitExceeded`. */
export class Ec2Error extends Error {
	constructor(
		call: string,
		readonly code: string,
		readonly status: number | null,
		said: string,
		cause?: unknown,
	) {
		super(`${call}: ${code} ${said.slice(0, 300)}`.trim(), { cause });
		this.name = "Ec2Error";
	}
}

/** EC2 takes this many values in one filter. */
const VALUES = 200;
const PAGE = 1000;
/** The SDK repeats throttled and failed calls; CreateFleet is repeated under its token. */
const ATTEMPTS = 3;

/** A client for one session. Throws Ec2Error. */
export function createEc2(options: { region: string; credentials: AwsCredentials; endpoint: string | undefined }): Ec2 {
	const { region, credentials, endpoint } = options;
	const client = new EC2Client({ region, credentials, maxAttempts: ATTEMPTS, ...(endpoint && { endpoint }) });
	return {
		async createFleet(request): Promise<FleetAnswer> {
			const { Instances = [], Errors = [] } = await failing("CreateFleet", client.send(new CreateFleetCommand(request)));
			return {
				instanceIds: Instances.flatMap(({ InstanceIds = [] }) => InstanceIds),
				errors: Errors.map(({ ErrorCode, ErrorMessage }) => ({ code: ErrorCode ?? "unknown", message: ErrorMessage ?? "" })),
			};
		},
		/** By filter, not by id: one id that is not listed yet would refuse the whole call (eventual consistency). */
		instances: (ids) => describeBy(client, "instance-id", ids),
		withTag: (name, values) => describeBy(client, `tag:${name}`, values),
		async terminate(InstanceIds) {
			try {
				await failing("TerminateInstances", client.send(new TerminateInstancesCommand({ InstanceIds })));
			} catch (error) {
				if (!(error instanceof Ec2Error && error.code === "InvalidInstanceID.NotFound")) throw error;
			}
			return "ended";
		},
		async tag(instanceId, tags) {
			const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
			await failing("CreateTags", client.send(new CreateTagsCommand({ Resources: [instanceId], Tags })));
		},
		spotPrices: (types) => spotPrices(client, types),
		/** One that is deprecated still starts machines. */
		async images(Values): Promise<Image[]> {
			const asked = new DescribeImagesCommand({ Filters: [{ Name: "image-id", Values }], IncludeDeprecated: true });
			const { Images = [] } = await failing("DescribeImages", client.send(asked));
			return Images.map(({ ImageId = "", Tags }) => ({ imageId: ImageId, tags: tagsOf(Tags) }));
		},
	};
}

async function failing<T>(call: string, answer: Promise<T>): Promise<T> {
	try {
		return await answer;
	} catch (error) {
		const { name = "unknown", message = "", $metadata } = error as Partial<Error> & { $metadata?: { httpStatusCode?: number } };
		throw new Ec2Error(call, name, $metadata?.httpStatusCode ?? null, message, error);
	}
}

async function describeBy(client: EC2Client, Name: string, values: string[]): Promise<Instance[]> {
	const parts = Array.from({ length: Math.ceil(values.length / VALUES) }, (_, at) => values.slice(at * VALUES, (at + 1) * VALUES));
	return (await Promise.all(parts.map((Values) => describe(client, { Name, Values })))).flat();
}

async function describe(client: EC2Client, filter: Filter): Promise<Instance[]> {
	const found: Instance[] = [];
	for (let NextToken: string | undefined; ; ) {
		const asked = new DescribeInstancesCommand({ Filters: [filter], MaxResults: PAGE, NextToken });
		const page = await failing("DescribeInstances", client.send(asked));
		for (const { Instances = [] } of page.Reservations ?? []) found.push(...Instances.flatMap(toInstance));
		NextToken = page.NextToken || undefined;
		if (!NextToken) return found;
	}
}

const tagsOf = (tags: Tag[] = []) => Object.fromEntries(tags.map(({ Key = "", Value = "" }) => [Key, Value]));

function toInstance(described: Described): Instance[] {
	const { InstanceId, State, StateReason, PrivateIpAddress, LaunchTime, InstanceType, Placement, InstanceLifecycle, Tags } = described;
	if (!InstanceId || !State?.Name) return [];
	return [
		{
			...{ instanceId: InstanceId, state: State.Name, stateReason: StateReason?.Code || null, privateIp: PrivateIpAddress || null },
			...{ launchedAt: LaunchTime?.getTime() ?? 0, type: InstanceType ?? "unknown", zone: Placement?.AvailabilityZone ?? "unknown" },
			market: InstanceLifecycle === "spot" ? "spot" : "on-demand",
			tags: tagsOf(Tags),
		},
	];
}

const LINUX = ["Linux/UNIX", "Linux/UNIX (Amazon VPC)"];

/** A history that begins and ends now holds what holds now, one for each type and zone (EC2 API Reference: DescribeSpotPriceHistory). */
async function spotPrices(client: EC2Client, types: readonly string[]): Promise<SpotPrice[]> {
	const InstanceTypes = [...types] as _InstanceType[];
	const now = new Date();
	const found: SpotPrice[] = [];
	for (let NextToken: string | undefined; ; ) {
		const asked = { InstanceTypes, ProductDescriptions: LINUX, StartTime: now, EndTime: now, MaxResults: PAGE, NextToken };
		const answer = await failing("DescribeSpotPriceHistory", client.send(new DescribeSpotPriceHistoryCommand(asked)));
		for (const { InstanceType: type, AvailabilityZone: zone, SpotPrice: price } of answer.SpotPriceHistory ?? [])
			if (type && zone && Number(price) > 0) found.push({ type, zone, usdPerHour: Number(price) });
		if (!answer.NextToken) return found;
		NextToken = answer.NextToken;
	}
}
