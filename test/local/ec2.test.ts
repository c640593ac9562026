// The EC2 stand-in through the AWS SDK's own client: what works, and in which shape.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
	CreateFleetCommand,
	CreateTagsCommand,
	DescribeInstancesCommand,
	DescribeInstanceTypesCommand,
	type EC2Client,
	paginateDescribeInstances,
	TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import type { Ec2 } from "../../local/ec2.ts";
import { ARM64, ec2Client, fleetInput, launch, SUBNETS, startAccount, X64 } from "../fakes/aws-account.ts";

let ec2: Ec2;
let client: EC2Client;
beforeAll(async () => {
	ec2 = await startAccount({ machines: 1000 });
	client = ec2Client(ec2.url);
});
afterAll(() => ec2.stop());

const describeIds = async (InstanceIds: string[]) => {
	const { Reservations = [] } = await client.send(new DescribeInstancesCommand({ InstanceIds }));
	return Reservations.flatMap(({ Instances = [] }) => Instances);
};
const pools = (...names: [type: string, subnet: number, priority?: number][]) => ({
	LaunchTemplateConfigs: [
		{
			LaunchTemplateSpecification: { LaunchTemplateId: X64.id, Version: "$Latest" },
			Overrides: names.map(([InstanceType, subnet, Priority]) => ({
				InstanceType: InstanceType as "m7a.large",
				SubnetId: SUBNETS[subnet]?.id,
				Priority,
			})),
		},
	],
});

describe("CreateFleet", () => {
	test("launches what was asked for and says from which pool", async () => {
		const answer = await client.send(
			new CreateFleetCommand(fleetInput({ TargetCapacitySpecification: { TotalTargetCapacity: 3, DefaultTargetCapacityType: "spot" } })),
		);
		expect(answer.FleetId).toMatch(/^fleet-[0-9a-f-]{36}$/);
		expect(answer.Errors).toEqual([]);
		expect(answer.Instances).toHaveLength(1);
		expect(answer.Instances?.[0]).toMatchObject({
			Lifecycle: "spot",
			InstanceType: "m7a.large",
			AvailabilityZone: "eu-west-1a",
			LaunchTemplateAndOverrides: {
				LaunchTemplateSpecification: { LaunchTemplateId: X64.id, Version: "1" },
				Overrides: { InstanceType: "m7a.large", SubnetId: SUBNETS[0]?.id },
			},
		});
		const ids = answer.Instances?.[0]?.InstanceIds ?? [];
		expect(new Set(ids).size).toBe(3);
		for (const id of ids) expect(id).toMatch(/^i-[0-9a-f]{17}$/);
	});

	test("takes pools in order, or in the order of their priorities if the strategy says so", async () => {
		const [first] = await launch(client, pools(["c7a.large", 1, 2], ["m7a.large", 0, 1]));
		const strategy = { OnDemandOptions: { AllocationStrategy: "prioritized" as const } };
		const [second] = await launch(client, { ...pools(["c7a.large", 1, 2], ["m7a.large", 0, 1]), ...strategy });
		expect((await describeIds([first ?? ""]))[0]?.InstanceType).toBe("c7a.large");
		expect((await describeIds([second ?? ""]))[0]?.InstanceType).toBe("m7a.large");
	});

	test("splits a fleet between spot and on-demand", async () => {
		const TargetCapacitySpecification = { TotalTargetCapacity: 3, SpotTargetCapacity: 2, DefaultTargetCapacityType: "on-demand" as const };
		const { Instances = [] } = await client.send(new CreateFleetCommand(fleetInput({ TargetCapacitySpecification })));
		expect(Instances.map(({ Lifecycle, InstanceIds }) => [Lifecycle, InstanceIds?.length])).toEqual([
			["spot", 2],
			["on-demand", 1],
		]);
	});

	test("gives each instance its own address in 10.0.0.0/16", async () => {
		const ids = await launch(client, { TargetCapacitySpecification: { TotalTargetCapacity: 300, DefaultTargetCapacityType: "spot" } });
		const addresses = (await describeIds(ids)).map(({ PrivateIpAddress }) => PrivateIpAddress ?? "");
		expect(new Set(addresses).size).toBe(300);
		for (const address of addresses) expect(address).toMatch(/^10\.0\.\d{1,3}\.\d{1,3}$/);
	});

	test("the same token and parameters give the same fleet, whatever became of it", async () => {
		const input = fleetInput({ ClientToken: "same" });
		const [first, again] = await Promise.all([client.send(new CreateFleetCommand(input)), client.send(new CreateFleetCommand(input))]);
		const ids = first.Instances?.[0]?.InstanceIds ?? [];
		await client.send(new TerminateInstancesCommand({ InstanceIds: ids }));
		const late = await client.send(new CreateFleetCommand(input));
		expect(ids).toHaveLength(1);
		for (const answer of [again, late]) {
			expect(answer.FleetId).toBe(first.FleetId as string);
			expect(answer.Instances).toEqual(first.Instances as NonNullable<typeof first.Instances>);
		}
	});

	test("tokens are case-sensitive, and without one each call launches", async () => {
		const ids = [...(await launch(client, { ClientToken: "t" })), ...(await launch(client, { ClientToken: "T" }))];
		expect(new Set([...ids, ...(await launch(client)), ...(await launch(client))]).size).toBe(4);
	});

	test("takes a template by name, and an image and disk of the override", async () => {
		const [id = ""] = await launch(client, {
			LaunchTemplateConfigs: [
				{
					LaunchTemplateSpecification: { LaunchTemplateName: ARM64.name, Version: "$Default" },
					Overrides: [
						{
							...{ InstanceType: "m8g.large", SubnetId: SUBNETS[1]?.id, ImageId: "ami-00000000000000001" },
							BlockDeviceMappings: [{ DeviceName: "/dev/sda1", Ebs: { VolumeSize: 40, VolumeType: "gp3" } }],
						},
					],
				},
			],
		});
		expect((await describeIds([id]))[0]).toMatchObject({ ImageId: "ami-00000000000000001", Architecture: "arm64" });
	});
});

describe("DescribeInstances", () => {
	test("tells what a launched instance is", async () => {
		const [id = ""] = await launch(client, {
			TargetCapacitySpecification: { TotalTargetCapacity: 1, DefaultTargetCapacityType: "spot" },
			TagSpecifications: [
				{
					ResourceType: "instance",
					Tags: [
						{ Key: "mayfly:stack", Value: `<a>&"' é\n]]>` },
						{ Key: "empty", Value: "" },
					],
				},
			],
		});
		const [instance] = await describeIds([id]);
		expect(instance).toMatchObject({
			...{ InstanceId: id, InstanceType: "m7a.large", ImageId: X64.imageId, Architecture: "x86_64", InstanceLifecycle: "spot" },
			...{ State: { Code: 16, Name: "running" }, SubnetId: SUBNETS[0]?.id, Placement: { AvailabilityZone: "eu-west-1a" } },
		});
		expect(instance?.LaunchTime).toBeInstanceOf(Date);
		expect(instance?.StateReason).toBeUndefined();
		const tags = Object.fromEntries((instance?.Tags ?? []).map(({ Key, Value }) => [Key, Value]));
		expect(tags).toMatchObject({ "mayfly:stack": `<a>&"' é\n]]>`, empty: "", "aws:ec2launchtemplate:id": X64.id });
		expect(tags["aws:ec2:fleet-id"]).toStartWith("fleet-");
	});

	test("filters by tag, state, type and wildcard, all filters together", async () => {
		const tagged = (Value: string) => ({ TagSpecifications: [{ ResourceType: "instance" as const, Tags: [{ Key: "group", Value }] }] });
		const [one = ""] = await launch(client, tagged("filter-1"));
		const [two = ""] = await launch(client, { ...tagged("filter-2"), ...pools(["c7i.xlarge", 1]) });
		await client.send(new TerminateInstancesCommand({ InstanceIds: [two] }));
		const idsOf = async (...filters: [string, ...string[]][]) => {
			const Filters = filters.map(([Name, ...Values]) => ({ Name, Values }));
			const { Reservations = [] } = await client.send(new DescribeInstancesCommand({ Filters }));
			return Reservations.flatMap(({ Instances = [] }) => Instances.map(({ InstanceId }) => InstanceId ?? ""));
		};
		expect(await idsOf(["tag:group", "filter-1", "filter-2"])).toEqual([one, two]);
		expect(await idsOf(["tag:group", "filter-?"], ["instance-type", "c7i.*"])).toEqual([two]);
		expect(await idsOf(["tag:group", "filter-*"], ["instance-state-name", "pending", "running"])).toEqual([one]);
		expect(await idsOf(["tag-key", "group"], ["availability-zone", "eu-west-1b"])).toEqual([two]);
		expect(await idsOf(["tag:group", "filter"])).toEqual([]);
	});

	test("pages through everything once, also when instances come and go in between", async () => {
		const tags = { TagSpecifications: [{ ResourceType: "instance" as const, Tags: [{ Key: "paged", Value: "yes" }] }] };
		const ids = await launch(client, {
			...tags,
			TargetCapacitySpecification: { TotalTargetCapacity: 12, DefaultTargetCapacityType: "spot" },
		});
		const Filters = [{ Name: "tag:paged", Values: ["yes"] }];
		const seen: string[] = [];
		let pages = 0;
		for await (const page of paginateDescribeInstances({ client, pageSize: 5 }, { Filters })) {
			seen.push(...(page.Reservations ?? []).flatMap(({ Instances = [] }) => Instances.map(({ InstanceId }) => InstanceId ?? "")));
			if (pages++ === 0) await client.send(new TerminateInstancesCommand({ InstanceIds: [ids[0] ?? "", ids[9] ?? ""] }));
		}
		expect(pages).toBe(3);
		expect(seen).toEqual(ids);
	});
});

describe("TerminateInstances", () => {
	test("ends an instance for the user's reason and leaves it listed without its address", async () => {
		const [id = ""] = await launch(client);
		const { TerminatingInstances = [] } = await client.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
		expect(TerminatingInstances).toEqual([
			{ InstanceId: id, CurrentState: { Code: 32, Name: "shutting-down" }, PreviousState: { Code: 16, Name: "running" } },
		]);
		const [instance] = await describeIds([id]);
		expect(instance).toMatchObject({ State: { Name: "terminated" }, StateReason: { Code: "Client.UserInitiatedShutdown" } });
		expect(instance?.PrivateIpAddress).toBeUndefined();
		const again = await client.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
		expect(again.TerminatingInstances?.[0]).toMatchObject({ CurrentState: { Name: "terminated" }, PreviousState: { Name: "terminated" } });
	});
});

describe("CreateTags", () => {
	test("adds and replaces tags of several instances", async () => {
		const ids = await launch(client, { TargetCapacitySpecification: { TotalTargetCapacity: 2, DefaultTargetCapacityType: "spot" } });
		await client.send(
			new CreateTagsCommand({
				Resources: ids,
				Tags: [{ Key: "Name", Value: "a b" }, { Key: "mayfly:stack", Value: "new" }, { Key: "none" }],
			}),
		);
		for (const { Tags = [] } of await describeIds(ids))
			expect(Tags).toEqual(
				expect.arrayContaining([
					{ Key: "Name", Value: "a b" },
					{ Key: "mayfly:stack", Value: "new" },
					{ Key: "none", Value: "" },
				]),
			);
	});
});

describe("DescribeInstanceTypes", () => {
	test("tells size and architecture of those asked for, or of all", async () => {
		const InstanceTypes = ["m7a.xlarge" as const, "c8g.large" as const];
		const { InstanceTypes: types = [] } = await client.send(new DescribeInstanceTypesCommand({ InstanceTypes }));
		expect(
			types.map(({ InstanceType, VCpuInfo, MemoryInfo, ProcessorInfo }) => [
				InstanceType,
				VCpuInfo?.DefaultVCpus,
				MemoryInfo?.SizeInMiB,
				ProcessorInfo?.SupportedArchitectures,
			]),
		).toEqual([
			["m7a.xlarge", 4, 16384, ["x86_64"]],
			["c8g.large", 2, 4096, ["arm64"]],
		]);
		const all = await client.send(new DescribeInstanceTypesCommand({}));
		expect(all.InstanceTypes?.length).toBeGreaterThan(100);
	});
});
