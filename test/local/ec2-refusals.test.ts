// What the EC2 stand-in refuses, and with which word, as the AWS SDK's client reports it.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
	CreateFleetCommand,
	type CreateFleetCommandInput,
	CreateTagsCommand,
	DeleteFleetsCommand,
	DescribeInstancesCommand,
	DescribeInstanceTypesCommand,
	type EC2Client,
	TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { AwsClient } from "aws4fetch";
import { XMLParser } from "fast-xml-parser";
import type { Ec2 } from "../../local/ec2.ts";
import { ARM64, ec2Client, fleetInput, KEYS, launch, REGION, refusalOf, SUBNETS, startAccount, X64 } from "../fakes/aws-account.ts";

let ec2: Ec2;
let client: EC2Client;
let instanceId: string;
beforeAll(async () => {
	ec2 = await startAccount({ subnets: [...SUBNETS, { id: "subnet-0000000000000002a", zone: "eu-west-1a" }] });
	client = ec2Client(ec2.url);
	[instanceId = ""] = await launch(client);
});
afterAll(() => ec2.stop());

type Overrides = NonNullable<NonNullable<CreateFleetCommandInput["LaunchTemplateConfigs"]>[number]["Overrides"]>;
const configs = (overrides: Overrides, specification: object = { LaunchTemplateId: X64.id, Version: "1" }) => ({
	LaunchTemplateConfigs: [{ LaunchTemplateSpecification: specification, Overrides: overrides }],
});
const override = (InstanceType: string, SubnetId = SUBNETS[0]?.id): Overrides[number] => ({
	InstanceType: InstanceType as "m7a.large",
	SubnetId,
});
const units = (TotalTargetCapacity: number, more: object = {}) => ({
	TargetCapacitySpecification: { TotalTargetCapacity, DefaultTargetCapacityType: "spot" as const, ...more },
});
const tags = (ResourceType: string, Tags: { Key?: string; Value?: string }[]) => ({
	TagSpecifications: [{ ResourceType: ResourceType as "instance", Tags }],
});
const many = Array.from({ length: 51 }, (_, index) => ({ Key: `k${index}`, Value: "v" }));

describe("CreateFleet", () => {
	const rows: [string, string, Partial<CreateFleetCommandInput>][] = [
		["of the default type, maintain", "MissingParameter", { Type: undefined }],
		["of another type than instant", "UnsupportedOperation", { Type: "maintain" }],
		["without launch templates", "MissingParameter", { LaunchTemplateConfigs: undefined }],
		["without a target capacity", "MissingParameter", { TargetCapacitySpecification: undefined }],
		["of no units", "InvalidParameterValue", units(0)],
		["of over 10,000 units", "TargetCapacityLimitExceededException", units(10_001)],
		["whose parts are more than the whole", "InvalidParameterValue", units(1, { SpotTargetCapacity: 1, OnDemandTargetCapacity: 1 })],
		["with an unknown spot strategy", "InvalidParameterValue", { SpotOptions: { AllocationStrategy: "cheapest" as "diversified" } }],
		[
			"with a spot strategy for on-demand",
			"InvalidParameterValue",
			{ OnDemandOptions: { AllocationStrategy: "price-capacity-optimized" as "prioritized" } },
		],
		["with a minimum and no single pool", "InvalidParameterCombination", { SpotOptions: { MinTargetCapacity: 1 } }],
		[
			"with a template that is not there",
			"InvalidLaunchTemplateId.NotFound",
			configs([override("m7a.large")], { LaunchTemplateId: "lt-1", Version: "1" }),
		],
		[
			"with a version that is not there",
			"InvalidLaunchTemplateId.VersionNotFound",
			configs([override("m7a.large")], { LaunchTemplateId: X64.id, Version: "2" }),
		],
		["without a version", "MissingParameter", configs([override("m7a.large")], { LaunchTemplateId: X64.id })],
		[
			"with a template by id and name",
			"InvalidParameterCombination",
			configs([override("m7a.large")], { LaunchTemplateId: X64.id, LaunchTemplateName: X64.name, Version: "1" }),
		],
		[
			"with two subnets of one zone",
			"InvalidFleetConfig",
			configs([override("m7a.large"), override("c7a.large", "subnet-0000000000000002a")]),
		],
		["with one pool twice", "InvalidFleetConfig", configs([override("m7a.large"), override("m7a.large")])],
		["with an override that is not understood", "UnknownParameter", configs([{ ...override("m7a.large"), KeyName: "key" }])],
		["with a token of over 64 characters", "InvalidParameterValue", { ClientToken: "x".repeat(65) }],
		["with a token that is not ASCII", "InvalidParameterValue", { ClientToken: "é" }],
		["with tags for what an instant fleet cannot tag", "InvalidParameterValue", tags("spot-instances-request", [{ Key: "a", Value: "b" }])],
		["with a reserved tag", "InvalidParameterValue", tags("instance", [{ Key: "aws:name", Value: "b" }])],
		["with a tag's key of over 128 characters", "InvalidParameterValue", tags("instance", [{ Key: "k".repeat(129), Value: "b" }])],
		["with a tag's value of over 256 characters", "InvalidParameterValue", tags("volume", [{ Key: "k", Value: "v".repeat(257) }])],
		["with over 50 tags", "TagLimitExceeded", tags("instance", many)],
		[
			"with one key twice",
			"InvalidParameterValue",
			tags("instance", [
				{ Key: "k", Value: "1" },
				{ Key: "k", Value: "2" },
			]),
		],
		["with DryRun", "DryRunOperation", { DryRun: true }],
	];
	test.each(rows)("a fleet %s is refused: %s", async (_, code, over) => {
		const before = ec2.instances().length;
		expect((await refusalOf(client.send(new CreateFleetCommand(fleetInput(over))))).code).toBe(code);
		expect(ec2.instances()).toHaveLength(before);
	});

	test("a token used before with other parameters is refused, and still good with its own", async () => {
		const ClientToken = "mismatch";
		const ids = await launch(client, { ClientToken });
		const other = client.send(new CreateFleetCommand(fleetInput({ ClientToken, ...units(2) })));
		expect(await refusalOf(other)).toEqual({ code: "IdempotentParameterMismatch", status: 400 });
		expect(await launch(client, { ClientToken })).toEqual(ids);
	});

	test("a refused call does not use its token up", async () => {
		await refusalOf(client.send(new CreateFleetCommand(fleetInput({ ClientToken: "late", DryRun: true }))));
		expect(await launch(client, { ClientToken: "late" })).toHaveLength(1);
	});

	test("an unknown subnet or type, or one of another architecture, is that pool's error alone", async () => {
		const { Instances = [], Errors = [] } = await client.send(
			new CreateFleetCommand(
				fleetInput(configs([override("m7a.large", "subnet-1"), override("z9.large"), override("m8g.large"), override("c7a.large")])),
			),
		);
		expect(
			Errors.map(({ ErrorCode, LaunchTemplateAndOverrides }) => [ErrorCode, LaunchTemplateAndOverrides?.Overrides?.InstanceType as string]),
		).toEqual([
			["InvalidSubnetID.NotFound", "m7a.large"],
			["InvalidFleetConfiguration", "z9.large"],
			["InvalidParameterValue", "m8g.large"],
		]);
		expect(Instances.map(({ InstanceType }) => InstanceType)).toEqual(["c7a.large"]);
		const arm = await launch(client, configs([override("m7a.large")], { LaunchTemplateId: ARM64.id, Version: "1" }));
		expect(arm).toEqual([]);
	});
});

describe("other calls", () => {
	const unknown = "i-00000000000000000";
	test("one unknown id refuses the whole call and changes nothing", async () => {
		const InstanceIds = [instanceId, unknown];
		const code = "InvalidInstanceID.NotFound";
		expect(await refusalOf(client.send(new TerminateInstancesCommand({ InstanceIds })))).toEqual({ code, status: 400 });
		expect(await refusalOf(client.send(new DescribeInstancesCommand({ InstanceIds })))).toEqual({ code, status: 400 });
		const tagging = new CreateTagsCommand({ Resources: InstanceIds, Tags: [{ Key: "a", Value: "b" }] });
		expect(await refusalOf(client.send(tagging))).toEqual({ code, status: 400 });
		const [first] = ec2.instances();
		expect([first?.state, first?.tags.a]).toEqual(["running", undefined]);
	});

	const send = (command: unknown) => client.send(command as DescribeInstancesCommand);
	const rows: [string, string, () => Promise<unknown>][] = [
		["a malformed id", "InvalidInstanceID.Malformed", () => send(new DescribeInstancesCommand({ InstanceIds: ["job-1"] }))],
		[
			"an unknown filter",
			"InvalidParameterValue",
			() => send(new DescribeInstancesCommand({ Filters: [{ Name: "colour", Values: ["red"] }] })),
		],
		["a page of under 5", "InvalidParameterValue", () => send(new DescribeInstancesCommand({ MaxResults: 4 }))],
		[
			"a page of named ids",
			"InvalidParameterCombination",
			() => send(new DescribeInstancesCommand({ MaxResults: 5, InstanceIds: [instanceId] })),
		],
		["a next token that was not given", "InvalidNextToken", () => send(new DescribeInstancesCommand({ NextToken: "x" }))],
		["a termination of nothing", "MissingParameter", () => send(new TerminateInstancesCommand({ InstanceIds: [] }))],
		["a dry termination", "DryRunOperation", () => send(new TerminateInstancesCommand({ InstanceIds: [instanceId], DryRun: true }))],
		["tagging without tags", "MissingParameter", () => send(new CreateTagsCommand({ Resources: [instanceId], Tags: [] }))],
		["tagging something else", "InvalidID", () => send(new CreateTagsCommand({ Resources: ["vol-1"], Tags: [{ Key: "a", Value: "b" }] }))],
		["too many tags over time", "TagLimitExceeded", () => send(new CreateTagsCommand({ Resources: [instanceId], Tags: many.slice(1) }))],
		[
			"an unknown type",
			"InvalidInstanceType",
			() => send(new DescribeInstanceTypesCommand({ InstanceTypes: ["z9.large" as "m7a.large"] })),
		],
		[
			"an action that is not there",
			"InvalidAction",
			() => send(new DeleteFleetsCommand({ FleetIds: ["fleet-1"], TerminateInstances: true })),
		],
	];
	test.each(rows)("%s is refused: %s", async (_, code, act) => {
		expect((await refusalOf(act())).code).toBe(code);
		expect(ec2.instances()[0]?.state).toBe("running");
	});
});

describe("the wire", () => {
	const call = (body: string, over: { url?: string; keys?: object; service?: string; method?: string } = {}) =>
		new AwsClient({ ...KEYS, region: REGION, service: "ec2", retries: 0, ...over.keys }).fetch(over.url ?? ec2.url, {
			method: over.method ?? "POST",
			body,
			headers: { "content-type": "application/x-www-form-urlencoded" },
			...(over.service ? { aws: { service: over.service } } : {}),
		});
	const codeOf = async (answer: Response) => {
		const { Response: root } = new XMLParser().parse(await answer.text());
		expect(root.RequestID).toMatch(/^[0-9a-f-]{36}$/);
		return `${answer.status} ${root.Errors.Error.Code}`;
	};
	const good = "Action=DescribeInstances&Version=2016-11-15";

	test("refuses bad credentials in EC2's error format", async () => {
		expect(await codeOf(await fetch(ec2.url, { method: "POST", body: good }))).toBe("401 AuthFailure");
		expect(await codeOf(await call(good, { keys: { accessKeyId: "AKIDOTHER" } }))).toBe("401 AuthFailure");
		expect(await codeOf(await call(good, { service: "s3" }))).toBe("401 AuthFailure");
		expect(await codeOf(await call(good, { keys: { secretAccessKey: "other" } }))).toBe("403 SignatureDoesNotMatch");
		const late = ec2Client(ec2.url, { systemClockOffset: -600_000 });
		expect(await refusalOf(late.send(new DescribeInstancesCommand({})))).toEqual({ code: "RequestExpired", status: 400 });
	});

	test("refuses what is no call", async () => {
		expect(await codeOf(await call("Version=2016-11-15"))).toBe("400 MissingParameter");
		expect(await codeOf(await call("Action=DescribeInstances&Version=2010-01-01"))).toBe("400 NoSuchVersion");
		expect(await codeOf(await call("Action=toString&Version=2016-11-15"))).toBe("400 InvalidAction");
		expect(await codeOf(await call(`${good}&Colour=red`))).toBe("400 UnknownParameter");
		expect(await codeOf(await call(`${good}&MaxResults=9&MaxResults=9`))).toBe("400 MalformedQueryString");
		expect(await codeOf(await call(`${good}&MaxResults=many`))).toBe("400 InvalidParameterValue");
		expect(await codeOf(await call(good, { method: "PUT" }))).toBe("405 InvalidRequest");
		expect(await codeOf(await call("%00<>&Action=<script>&Version=2016-11-15"))).toBe("400 InvalidAction");
	});
});
