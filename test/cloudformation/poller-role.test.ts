// What the poller's role may do, by its policy exactly as the template renders it, put to an IAM evaluator of others.
import { describe, expect, test } from "bun:test";
import { unknownKeys } from "./condition-keys.ts";
import { ACCOUNT, arn, type Context, isAllowed, patterns, REGION, type Role, wideChanges } from "./iam.ts";
import { readTemplate, render } from "./template.ts";

const [LT_X64, LT_ARM64, LT_OTHER] = ["lt-0a1b2c3d4e5f60001", "lt-0a1b2c3d4e5f60002", "lt-0ffffffffffffffff"];
const SUBNET = arn("subnet/subnet-0a1b2c3d4e5f60001");
const GROUP = arn("security-group/sg-0a1b2c3d4e5f60001");
const SHARED = `arn:aws:ec2:${REGION}::image/ami-0shared0000000001`;
const SECRET = arn("secret:mayfly/prod-AbCdEf", "secretsmanager");

const PARAMETERS = {
	...{ Stack: "prod", VpcSubnets: "subnet-0aa,subnet-0bb", VpcSecurityGroup: "sg-0poller", ImageX64: "ami-0x", ImageArm64: "ami-0y" },
	...{ RelayUrl: "https://relay.example.com", AppId: "42", SecretArn: SECRET, MailboxBucket: "prod-mailbox", ConfigKey: "config/abc.json" },
	...{
		LaunchTemplateX64: LT_X64,
		LaunchTemplateX64Version: "1",
		LaunchTemplateArm64: LT_ARM64,
		LaunchTemplateArm64Version: "2",
		Subnets: "",
	},
	...{ RunnerSubnets: SUBNET, RunnerSecurityGroups: GROUP },
	...{ InstanceTypes: "c8i.*,m8g.*", SharedImages: SHARED },
};
const { resources } = render(readTemplate("poller"), PARAMETERS);
const role = resources.Role?.Properties as unknown as Role;
const statements = role.Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);

const policies = { identity: role.Policies.map(({ PolicyDocument }) => PolicyDocument) };

const INSTANCE = arn("instance/i-0abc");
const MACHINE = {
	"aws:RequestTag/mayfly:stack": "prod",
	"ec2:MetadataHttpTokens": "required",
	"ec2:InstanceType": "c8i.large",
	"ec2:LaunchTemplate": arn(`launch-template/${LT_X64}`),
};
/** CreateFleet is told less of a machine than RunInstances, which EC2 asks for it too (service authorization reference, Amazon EC2). */
const FLEET_MACHINE = { "aws:RequestTag/mayfly:stack": "prod", "ec2:InstanceType": "c8i.large" };
const OURS = { "aws:ResourceTag/mayfly:stack": "prod" };
/** Tagged with the stack by mistake, as by a tag of the whole stack. */
const GATEWAY = { ...OURS, "aws:ResourceTag/mayfly:gateway": "prod" };
const IMAGE = { "ec2:Owner": ACCOUNT, "aws:ResourceTag/mayfly:image": "approved" };
const without = (name: keyof typeof MACHINE) => Object.fromEntries(Object.entries(MACHINE).filter(([key]) => key !== name));
type Case = [what: string, action: string, resource: string, context: Context, allowed: boolean];

const CASES: Case[] = [
	["a machine of ours", "ec2:RunInstances", INSTANCE, MACHINE, true],
	[
		"one of the other architecture",
		"ec2:RunInstances",
		INSTANCE,
		{ ...MACHINE, "ec2:LaunchTemplate": arn(`launch-template/${LT_ARM64}`), "ec2:InstanceType": "m8g.xlarge" },
		true,
	],
	["one without our tag", "ec2:RunInstances", INSTANCE, without("aws:RequestTag/mayfly:stack"), false],
	["one with another stack's tag", "ec2:RunInstances", INSTANCE, { ...MACHINE, "aws:RequestTag/mayfly:stack": "dev" }, false],
	["one that says it is a gateway", "ec2:RunInstances", INSTANCE, { ...MACHINE, "aws:RequestTag/mayfly:gateway": "prod" }, false],
	["one with IMDSv1", "ec2:RunInstances", INSTANCE, { ...MACHINE, "ec2:MetadataHttpTokens": "optional" }, false],
	["one of a type that is not allowed", "ec2:RunInstances", INSTANCE, { ...MACHINE, "ec2:InstanceType": "p5.48xlarge" }, false],
	[
		"one of another launch template",
		"ec2:RunInstances",
		INSTANCE,
		{ ...MACHINE, "ec2:LaunchTemplate": arn(`launch-template/${LT_OTHER}`) },
		false,
	],
	["one of no launch template", "ec2:RunInstances", INSTANCE, without("ec2:LaunchTemplate"), false],
	[
		"one with a role",
		"ec2:RunInstances",
		INSTANCE,
		{ ...MACHINE, "ec2:InstanceProfile": `arn:aws:iam::${ACCOUNT}:instance-profile/admin` },
		false,
	],
	["its disk", "ec2:RunInstances", arn("volume/vol-0abc"), { "aws:RequestTag/mayfly:stack": "prod" }, true],
	["a disk without our tag", "ec2:RunInstances", arn("volume/vol-0abc"), {}, false],
	["its interface in a runner subnet", "ec2:RunInstances", arn("network-interface/eni-0abc"), { "ec2:Subnet": SUBNET }, true],
	[
		"an interface in another subnet",
		"ec2:RunInstances",
		arn("network-interface/eni-0abc"),
		{ "ec2:Subnet": arn("subnet/subnet-0ff") },
		false,
	],
	["in a runner subnet", "ec2:RunInstances", SUBNET, {}, true],
	["in another subnet", "ec2:RunInstances", arn("subnet/subnet-0ff"), {}, false],
	["in the runners' security group", "ec2:RunInstances", GROUP, {}, true],
	["in another security group", "ec2:RunInstances", arn("security-group/sg-0ff"), {}, false],
	["by our launch template", "ec2:RunInstances", arn(`launch-template/${LT_X64}`), {}, true],
	["by another launch template", "ec2:RunInstances", arn(`launch-template/${LT_OTHER}`), {}, false],
	["an image that we approved", "ec2:RunInstances", `arn:aws:ec2:${REGION}::image/ami-0own`, IMAGE, true],
	["one of ours that nobody approved", "ec2:RunInstances", `arn:aws:ec2:${REGION}::image/ami-0own`, { "ec2:Owner": ACCOUNT }, false],
	[
		"one that somebody else calls approved",
		"ec2:RunInstances",
		`arn:aws:ec2:${REGION}::image/ami-0evil`,
		{ ...IMAGE, "ec2:Owner": "999999999999" },
		false,
	],
	["a shared image by its ARN", "ec2:RunInstances", SHARED, { "ec2:Owner": "444455556666" }, true],
	["the parameter that names an image", "ssm:GetParameter", arn("parameter/mayfly/images/ubuntu24-arm64", "ssm"), {}, true],
	["the same by its other call", "ssm:GetParameters", arn("parameter/mayfly/images/ubuntu24-arm64", "ssm"), {}, true],
	["another parameter", "ssm:GetParameter", arn("parameter/prod/database", "ssm"), {}, false],
	["another image for everybody", "ssm:PutParameter", arn("parameter/mayfly/images/runner-x64", "ssm"), {}, false],
	["a fleet", "ec2:CreateFleet", arn("fleet/fleet-0abc"), {}, true],
	["a fleet's machine", "ec2:CreateFleet", INSTANCE, FLEET_MACHINE, true],
	["a fleet's machine without our tag", "ec2:CreateFleet", INSTANCE, { "ec2:InstanceType": "c8i.large" }, false],
	[
		"a fleet's machine of a type that is not allowed",
		"ec2:CreateFleet",
		INSTANCE,
		{ ...FLEET_MACHINE, "ec2:InstanceType": "p5.large" },
		false,
	],
	["a fleet's disk", "ec2:CreateFleet", arn("volume/vol-0abc"), { "aws:RequestTag/mayfly:stack": "prod" }, true],
	["a fleet's subnet", "ec2:CreateFleet", SUBNET, {}, true],
	["a fleet's image that we approved", "ec2:CreateFleet", `arn:aws:ec2:${REGION}::image/ami-0own`, IMAGE, true],
	["what a fleet's machine alone is, by another call", "ec2:RunInstances", INSTANCE, FLEET_MACHINE, false],
	["a fleet by another launch template", "ec2:CreateFleet", arn(`launch-template/${LT_OTHER}`), {}, false],
	[
		"tags of a launch",
		"ec2:CreateTags",
		INSTANCE,
		{ "ec2:CreateAction": "RunInstances", "aws:RequestTag/mayfly:stack": "prod", "aws:TagKeys": ["mayfly:stack"] },
		true,
	],
	["the tag of the stack, later, on somebody's machine", "ec2:CreateTags", INSTANCE, { "aws:TagKeys": ["mayfly:stack"] }, false],
	[
		"the job's tags on a machine of ours",
		"ec2:CreateTags",
		INSTANCE,
		{ ...OURS, "aws:TagKeys": ["mayfly:job", "mayfly:run", "Name"] },
		true,
	],
	["the stack's tag on a machine of ours", "ec2:CreateTags", INSTANCE, { ...OURS, "aws:TagKeys": ["mayfly:stack"] }, false],
	["the job's tags on somebody's machine", "ec2:CreateTags", INSTANCE, { "aws:TagKeys": ["mayfly:job"] }, false],
	["the end of a machine of ours", "ec2:TerminateInstances", INSTANCE, OURS, true],
	["the end of somebody's machine", "ec2:TerminateInstances", INSTANCE, {}, false],
	["the end of another stack's machine", "ec2:TerminateInstances", INSTANCE, { "aws:ResourceTag/mayfly:stack": "dev" }, false],
	["the end of a gateway", "ec2:TerminateInstances", INSTANCE, GATEWAY, false],
	["the job's tags on a gateway", "ec2:CreateTags", INSTANCE, { ...GATEWAY, "aws:TagKeys": ["mayfly:job"] }, false],
	["a look at its images", "ec2:DescribeImages", "*", {}, true],
	["a stop of a machine of ours", "ec2:StopInstances", INSTANCE, OURS, false],
	["a new version of a launch template", "ec2:CreateLaunchTemplateVersion", arn(`launch-template/${LT_X64}`), {}, false],
	["a change of a machine's metadata options", "ec2:ModifyInstanceMetadataOptions", INSTANCE, OURS, false],
	["a role for a machine", "iam:PassRole", `arn:aws:iam::${ACCOUNT}:role/admin`, { "iam:PassedToService": "ec2.amazonaws.com" }, false],
	["a profile for a machine that runs", "ec2:AssociateIamInstanceProfile", INSTANCE, OURS, false],
	["the resolved config", "s3:GetObject", "arn:aws:s3:::prod-mailbox/config/abc.json", {}, true],
	["another config", "s3:GetObject", "arn:aws:s3:::prod-mailbox/config/other.json", {}, false],
	["a boot document", "s3:PutObject", "arn:aws:s3:::prod-mailbox/boot/10.0.1.2/i-0abc", {}, true],
	["a part that all machines read", "s3:PutObject", "arn:aws:s3:::prod-mailbox/dist/mayfly-agent", {}, false],
	["a machine's record", "s3:GetObject", "arn:aws:s3:::prod-mailbox/records/10.0.1.2/i-0abc.json", {}, false],
	["another bucket", "s3:PutObject", "arn:aws:s3:::other/boot/10.0.1.2/i-0abc", {}, false],
	["its secret", "secretsmanager:GetSecretValue", SECRET, {}, true],
	["another secret", "secretsmanager:GetSecretValue", arn("secret:prod/database-AbCdEf", "secretsmanager"), {}, false],
	[
		"an interface by its own code",
		"ec2:CreateNetworkInterface",
		arn("network-interface/eni-0abc"),
		{ "lambda:SourceFunctionArn": arn("function:poller", "lambda") },
		false,
	],
	["an interface by Lambda for it", "ec2:CreateNetworkInterface", arn("network-interface/eni-0abc"), {}, true],
	[
		"a role of spot's",
		"iam:CreateServiceLinkedRole",
		`arn:aws:iam::${ACCOUNT}:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot`,
		{ "iam:AWSServiceName": "spot.amazonaws.com" },
		true,
	],
];

describe("the poller's role", () => {
	test.each(CASES)("%s: %s", async (_, action, resource, context, allowed) => {
		expect(await isAllowed(policies, action, resource, context)).toBe(allowed);
	});

	// A key that an action does not have makes its statement false: what it should allow is refused in an account, and only there.
	test("asks of each call only what EC2 tells of it", async () => {
		expect(await unknownKeys(statements)).toEqual([]);
	});

	test("changes nothing on every resource, and names no action by a pattern", () => {
		expect(wideChanges(statements)).toEqual([]);
		expect(patterns(statements)).toEqual([]);
	});

	test("can be taken by Lambda alone", () => {
		expect(role.AssumeRolePolicyDocument.Statement).toEqual([
			{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
		]);
	});
});
