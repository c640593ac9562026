// The EC2 stand-in beside moto, which was written by others from the same AWS models: the same calls of the SDK get answers of the same
// shape. What moto does not do (idempotency, capacity, quotas, refusing tags for what is not there) is told by the other tests.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
	CreateFleetCommand,
	CreateLaunchTemplateCommand,
	CreateTagsCommand,
	DescribeImagesCommand,
	DescribeInstancesCommand,
	DescribeInstanceTypesCommand,
	DescribeSpotPriceHistoryCommand,
	DescribeSubnetsCommand,
	type EC2Client,
	TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { ec2Client, launch, refusalOf, startAccount } from "../fakes/aws-account.ts";
import { installMoto, type Moto, startMoto } from "../fakes/moto.ts";

/** moto reads its models at the first call. */
setDefaultTimeout(60_000);

const INSTALL_MS = 300_000;
const ZONES = ["eu-west-1a", "eu-west-1b"];
let moto: Moto | null = null;
beforeAll(async () => {
	try {
		await installMoto();
		moto = await startMoto();
	} catch (error) {
		if (process.env.MAYFLY_REQUIRE_ALL === "1") throw error;
		process.stderr.write(`skipped, moto cannot be had: ${error}\n`);
	}
}, INSTALL_MS);
afterAll(() => moto?.stop());

/** Makes a launch template and finds subnets in two zones: the account that both sides then have. */
async function furnish(client: EC2Client) {
	const { LaunchTemplate } = await client.send(
		new CreateLaunchTemplateCommand({
			LaunchTemplateName: `x64-${crypto.randomUUID()}`,
			LaunchTemplateData: { ImageId: "ami-12c6146b", InstanceInitiatedShutdownBehavior: "terminate" },
		}),
	);
	const { Subnets = [] } = await client.send(new DescribeSubnetsCommand({ Filters: [{ Name: "availability-zone", Values: ZONES }] }));
	const subnets = Subnets.map(({ SubnetId, AvailabilityZone }) => ({ id: SubnetId ?? "", zone: AvailabilityZone ?? "" }));
	return { id: LaunchTemplate?.LaunchTemplateId ?? "", subnets };
}

type Account = Awaited<ReturnType<typeof furnish>>;
const found = async (client: EC2Client) => {
	const Filters = [{ Name: "tag:mayfly:stack", Values: ["shape"] }];
	return (await client.send(new DescribeInstancesCommand({ Filters }))).Reservations?.flatMap(({ Instances = [] }) => Instances) ?? [];
};

/** The life of a spot machine as the poller leads it; gives all answers. */
async function lead(client: EC2Client, { id, subnets }: Account) {
	const Overrides = subnets.map(({ id: SubnetId }) => ({ InstanceType: "m7a.large" as const, SubnetId }));
	const fleet = await client.send(
		new CreateFleetCommand({
			...{ Type: "instant", ClientToken: "shape", SpotOptions: { AllocationStrategy: "price-capacity-optimized" } },
			LaunchTemplateConfigs: [{ LaunchTemplateSpecification: { LaunchTemplateId: id, Version: "1" }, Overrides }],
			TargetCapacitySpecification: { TotalTargetCapacity: 2, DefaultTargetCapacityType: "spot" },
			TagSpecifications: [
				{
					ResourceType: "instance",
					Tags: [
						{ Key: "mayfly:stack", Value: "shape" },
						{ Key: "mayfly:token", Value: "t/1+=" },
					],
				},
			],
		}),
	);
	const InstanceIds = fleet.Instances?.flatMap(({ InstanceIds: ids = [] }) => ids) ?? [];
	await client.send(
		new CreateTagsCommand({
			Resources: InstanceIds,
			Tags: [
				{ Key: "Name", Value: "a & b" },
				{ Key: "mayfly:job", Value: "" },
			],
		}),
	);
	const running = await found(client);
	const terminating = await client.send(new TerminateInstancesCommand({ InstanceIds }));
	const terminated = await found(client);
	return { fleet, running, terminating, terminated };
}

/** `path: type` of everything in a value; members of a list share one path, so that order and number do not matter. */
function shapeOf(value: unknown, path = ""): string[] {
	if (value === null || value === undefined) return [];
	if (value instanceof Date) return [`${path}: date`];
	if (Array.isArray(value)) return [...new Set(value.flatMap((item) => shapeOf(item, `${path}[]`)))];
	if (typeof value !== "object") return [`${path}: ${typeof value}`];
	return Object.entries(value).flatMap(([name, inner]) => (name === "$metadata" ? [] : shapeOf(inner, `${path}.${name}`)));
}

/** What the poller reads. */
const READ = {
	fleet: [
		...[".FleetId: string", ".Instances[].InstanceIds[]: string", ".Instances[].InstanceType: string", ".Instances[].Lifecycle: string"],
		...[".Instances[].LaunchTemplateAndOverrides.LaunchTemplateSpecification.LaunchTemplateId: string"],
	],
	running: [
		...[
			"InstanceId: string",
			"InstanceType: string",
			"InstanceLifecycle: string",
			"PrivateIpAddress: string",
			"LaunchTime: date",
			"SubnetId: string",
		],
		...["State.Name: string", "State.Code: number", "Placement.AvailabilityZone: string", "Tags[].Key: string", "Tags[].Value: string"],
		...["ImageId: string", "Architecture: string"],
	].map((name) => `[].${name}`),
	terminating: ["InstanceId: string", "CurrentState.Name: string", "CurrentState.Code: number", "PreviousState.Name: string"].map(
		(name) => `.TerminatingInstances[].${name}`,
	),
	terminated: ["State.Name: string", "StateReason.Code: string", "StateReason.Message: string"].map((name) => `[].${name}`),
};

async function both(): Promise<{ theirs: EC2Client; ours: EC2Client; account: Account; stop: () => Promise<void> } | null> {
	if (!moto) return null;
	const theirs = ec2Client(moto.url);
	const account = await furnish(theirs);
	const template = { id: account.id, imageId: "ami-12c6146b", architecture: "x86_64" as const };
	const ec2 = await startAccount({
		launchTemplates: [template],
		subnets: account.subnets,
		imageTags: { "ami-12c6146b": { "mayfly:runner": "2.336.0" } },
	});
	return { theirs, ours: ec2Client(ec2.url), account, stop: ec2.stop };
}

test("the life of a machine reads the same at moto and at the stand-in", async () => {
	const sides = await both();
	if (!sides) return;
	const [theirs, ours] = [await lead(sides.theirs, sides.account), await lead(sides.ours, sides.account)];
	await sides.stop();
	for (const name of ["fleet", "running", "terminating", "terminated"] as const) {
		const [their, our] = [shapeOf(theirs[name]), shapeOf(ours[name])];
		expect({ name, missing: READ[name].filter((path) => !their.includes(path)) }).toEqual({ name, missing: [] });
		expect({ name, missing: READ[name].filter((path) => !our.includes(path)) }).toEqual({ name, missing: [] });
		const typeOf = new Map(their.map((line) => line.split(": ") as [string, string]));
		const clashing = our.filter((line) => (typeOf.get(line.split(": ")[0] ?? "") ?? line.split(": ")[1]) !== line.split(": ")[1]);
		expect({ name, clashing }).toEqual({ name, clashing: [] });
	}
	const names = (side: typeof ours) => ({
		launched: side.fleet.Instances?.flatMap(({ InstanceIds = [] }) => InstanceIds).length,
		lifecycle: side.running.map(({ InstanceLifecycle }) => InstanceLifecycle),
		running: side.running.map(({ State }) => State),
		tags: side.running.map(({ Tags = [] }) =>
			Tags.filter(({ Key }) => !Key?.startsWith("aws:")).toSorted((a, b) => ((a.Key ?? "") < (b.Key ?? "") ? -1 : 1)),
		),
		terminating: side.terminating.TerminatingInstances?.map(({ CurrentState, PreviousState }) => [CurrentState, PreviousState]),
		terminated: side.terminated.map(({ State, StateReason }) => [State, StateReason?.Code]),
	});
	expect(names(ours)).toEqual(names(theirs));
});

test("spot prices read the same at moto and at the stand-in", async () => {
	const sides = await both();
	if (!sides) return;
	const ask = async (client: EC2Client) =>
		(await client.send(new DescribeSpotPriceHistoryCommand({ InstanceTypes: ["m7a.large"], StartTime: new Date() }))).SpotPriceHistory;
	const [theirs, ours] = [await ask(sides.theirs), await ask(sides.ours)];
	await sides.stop();
	const read = ["InstanceType: string", "AvailabilityZone: string", "SpotPrice: string", "ProductDescription: string", "Timestamp: date"];
	for (const side of [theirs, ours]) expect(shapeOf(side)).toEqual(expect.arrayContaining(read.map((name) => `[].${name}`)));
	expect(Number(ours?.[0]?.SpotPrice)).toBeGreaterThan(0);
});

test("images and their tags read the same at moto and at the stand-in", async () => {
	const sides = await both();
	if (!sides) return;
	const [id, tag] = ["ami-12c6146b", { Key: "mayfly:runner", Value: "2.336.0" }];
	await sides.theirs.send(new CreateTagsCommand({ Resources: [id], Tags: [tag] }));
	const ask = async (client: EC2Client) => {
		const Filters = [{ Name: "image-id", Values: [id, "ami-00000000000000000"] }];
		return (await client.send(new DescribeImagesCommand({ Filters, IncludeDeprecated: true }))).Images;
	};
	const [theirs, ours] = [await ask(sides.theirs), await ask(sides.ours)];
	await sides.stop();
	const named = (side: typeof ours) => side?.map(({ ImageId, Architecture, State, Tags }) => ({ ImageId, Architecture, State, Tags }));
	expect(named(ours)).toEqual([{ ImageId: id, Architecture: "x86_64", State: "available", Tags: [tag] }]);
	expect(named(theirs)).toEqual(named(ours));
});

test("what is refused is refused with the same word", async () => {
	const sides = await both();
	if (!sides) return;
	const ids = ["i-00000000000000000"];
	const calls: ((client: EC2Client) => Promise<unknown>)[] = [
		(client) => client.send(new DescribeInstancesCommand({ InstanceIds: ids })),
		(client) => client.send(new TerminateInstancesCommand({ InstanceIds: ids })),
		(client) => client.send(new DescribeImagesCommand({ ImageIds: ["ami-00000000000000000"] })),
		(client) => client.send(new DescribeInstanceTypesCommand({ InstanceTypes: ["z9.large" as "m7a.large"] })),
		(client) =>
			launch(client, {
				LaunchTemplateConfigs: [
					{
						LaunchTemplateSpecification: { LaunchTemplateId: "lt-1", Version: "1" },
						Overrides: [{ InstanceType: "m7a.large", SubnetId: sides.account.subnets[0]?.id }],
					},
				],
			}),
	];
	for (const call of calls) expect((await refusalOf(call(sides.ours))).code).toBe((await refusalOf(call(sides.theirs))).code);
	await sides.stop();
});
