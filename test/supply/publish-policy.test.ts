// What the role may do that publishes images: its policy, put to an IAM evaluator of others.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { arn, type Context, type Document, isAllowed, patterns, REGION, wideChanges } from "../cloudformation/iam.ts";

// The evaluator reads its tables of a service when it is first asked of it.
setDefaultTimeout(60_000);
const FOLDER = join(import.meta.dir, "..", "..", "ami", "packer");
const text = readFileSync(join(FOLDER, "policy.json"), "utf8");
const policy = JSON.parse(text) as Document;
const image = `arn:aws:ec2:${REGION}::image/ami-0a`;
const snapshot = `arn:aws:ec2:${REGION}::snapshot/snap-0a`;
const parameter = (name: string) => arn(`parameter/${name}`, "ssm");
const WRITER: Context = { "aws:RequestTag/mayfly:image": "being-written" };
const WRITERS: Context = { "aws:ResourceTag/mayfly:image": "being-written" };
const OURS: Context = { "aws:ResourceTag/mayfly:image": "approved" };
const START: Context = { ...WRITER, "ec2:InstanceType": "c7g.large", "ec2:MetadataHttpTokens": "required" };
const MADE = (by: string): Context => ({ ...WRITER, "ec2:CreateAction": by });
const APPROVED: Context = { "aws:RequestTag/mayfly:image": "approved" };

test("the policy fits into one managed policy, and allows no change by a pattern or on everything", () => {
	expect(text.replace(/\s/g, "").length).toBeLessThanOrEqual(6144);
	expect([patterns(policy.Statement), wideChanges(policy.Statement)]).toEqual([[], []]);
});

describe("publishing", () => {
	/** In the order of packer's steps and of publish.sh's. */
	test.each<[action: string, resource: string, context: Context]>([
		["ec2:DescribeImages", "*", {}],
		["ec2:DescribeRegions", "*", {}],
		["ec2:DescribeInstanceTypeOfferings", "*", {}],
		["ec2:DeregisterImage", image, {}],
		["ec2:CreateKeyPair", arn("key-pair/packer"), WRITER],
		["ec2:CreateTags", arn("key-pair/packer"), MADE("CreateKeyPair")],
		["ec2:CreateSecurityGroup", arn("security-group/sg-0a"), WRITER],
		["ec2:CreateSecurityGroup", arn("vpc/vpc-0a"), {}],
		["ec2:AuthorizeSecurityGroupIngress", arn("security-group/sg-0a"), WRITERS],
		["ec2:RunInstances", arn("instance/i-0a"), START],
		["ec2:RunInstances", arn("volume/vol-0a"), WRITER],
		["ec2:RunInstances", arn("network-interface/eni-0a"), WRITER],
		["ec2:RunInstances", arn("security-group/sg-0a"), WRITERS],
		["ec2:RunInstances", arn("key-pair/packer"), WRITERS],
		["ec2:RunInstances", arn("subnet/subnet-0a"), {}],
		["ec2:RunInstances", image, {}],
		["ec2:CreateTags", arn("instance/i-0a"), MADE("RunInstances")],
		["ec2:StopInstances", arn("instance/i-0a"), WRITERS],
		["ec2:ModifyInstanceAttribute", arn("instance/i-0a"), WRITERS],
		["ec2:CreateSnapshot", arn("volume/vol-0a"), WRITERS],
		["ec2:CreateSnapshot", snapshot, APPROVED],
		["ec2:CreateTags", snapshot, { ...APPROVED, "ec2:CreateAction": "CreateSnapshot" }],
		["ec2:RegisterImage", image, {}],
		["ec2:RegisterImage", snapshot, OURS],
		["ec2:ModifyImageAttribute", image, {}],
		["ec2:CreateTags", image, APPROVED],
		["ec2:TerminateInstances", arn("instance/i-0a"), WRITERS],
		["ec2:DeleteVolume", arn("volume/vol-0a"), WRITERS],
		["ec2:DeleteSecurityGroup", arn("security-group/sg-0a"), WRITERS],
		["ec2:DeleteKeyPair", arn("key-pair/packer"), WRITERS],
		["ec2:DeleteSnapshot", snapshot, OURS],
		["ec2:CopyImage", image, {}],
		["ec2:CopyImage", snapshot, {}],
		["ec2:CreateTags", snapshot, { ...APPROVED, "ec2:CreateAction": "CopyImage" }],
		["ssm:PutParameter", parameter("mayfly/images/runner-x64"), {}],
		["ec2:EnableImageDeprecation", image, OURS],
		["ec2:DisableImageDeprecation", image, OURS],
	])("may %s on %s", async (action, resource, context) => {
		expect(await isAllowed({ identity: [policy], boundary: policy }, action, resource, context)).toBe(true);
	});

	test.each<[what: string, action: string, resource: string, context: Context]>([
		["end somebody's instance", "ec2:TerminateInstances", arn("instance/i-0a"), {}],
		["stop a machine of the stack", "ec2:StopInstances", arn("instance/i-0a"), { "aws:ResourceTag/mayfly:stack": "mayfly" }],
		["start an instance without its tag", "ec2:RunInstances", arn("instance/i-0a"), { ...START, "aws:RequestTag/mayfly:image": "x" }],
		["start a large one", "ec2:RunInstances", arn("instance/i-0a"), { ...START, "ec2:InstanceType": "p5.48xlarge" }],
		["start one with IMDSv1", "ec2:RunInstances", arn("instance/i-0a"), { ...START, "ec2:MetadataHttpTokens": "optional" }],
		["start one in somebody's group", "ec2:RunInstances", arn("security-group/sg-0a"), {}],
		["open somebody's group", "ec2:AuthorizeSecurityGroupIngress", arn("security-group/sg-0a"), {}],
		["tag an instance as its own", "ec2:CreateTags", arn("instance/i-0a"), WRITER],
		["take a snapshot of somebody's volume", "ec2:CreateSnapshot", arn("volume/vol-0a"), {}],
		["make an image of somebody's snapshot", "ec2:RegisterImage", snapshot, {}],
		["share a snapshot", "ec2:ModifySnapshotAttribute", snapshot, OURS],
		["remove a published image", "ec2:DeregisterImage", image, OURS],
		["deprecate somebody's image", "ec2:EnableImageDeprecation", image, {}],
		["write another parameter", "ssm:PutParameter", parameter("mayfly/relay"), {}],
		["give an instance a role", "iam:PassRole", "arn:aws:iam::111122223333:role/admin", {}],
	])("may not %s", async (_, action, resource, context) => {
		expect(await isAllowed({ identity: [policy] }, action, resource, context)).toBe(false);
	});

	test("calls nothing that the policy does not name", () => {
		const scripts = ["publish.sh", "name-image.sh"].map((name) => readFileSync(join(FOLDER, name), "utf8")).join("\n");
		const pascal = (name: string) => name.replace(/(^|-)(\w)/g, (_match, _dash, letter: string) => letter.toUpperCase());
		const called = [...scripts.matchAll(/aws (ec2|ssm) ([a-z-]+)/g)].map(([, service, name = ""]) => `${service}:${pascal(name)}`);
		const named = policy.Statement.flatMap(({ Action }) => [Action].flat());
		expect(called.length).toBeGreaterThan(6);
		// `wait` describes images.
		expect(called.filter((action) => action !== "ec2:Wait" && !named.includes(action))).toEqual([]);
	});
});
