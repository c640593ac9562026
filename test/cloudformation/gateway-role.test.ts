// What a gateway may do: it is the one machine of the stack that has a role.
import { describe, expect, test } from "bun:test";
import { ACCOUNT, arn, type Context, isAllowed, patterns, type Role, wideChanges } from "./iam.ts";
import { readTemplate, render } from "./template.ts";

const [TABLE_A, TABLE_B] = ["rtb-0a1b2c3d4e5f60001", "rtb-0a1b2c3d4e5f60002"];
const given = {
	...{
		Stack: "prod",
		Vpc: "vpc-0a",
		Zones: 2,
		GatewaySubnets: "subnet-0a,subnet-0b",
		GatewayGroup: "sg-0a",
		MailboxBucket: "prod-mailbox",
	},
	...{ RouteTables: `${TABLE_A},${TABLE_B}`, Image: "ami-0a", InstanceType: "t4g.small", Mode: "enforce", DnsFirewall: "on" },
};
const { resources } = render(readTemplate("egress"), given);
const role = resources.Role?.Properties as unknown as Role;
const statements = role.Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
const policies = { identity: role.Policies.map(({ PolicyDocument }) => PolicyDocument) };

const INSTANCE = arn("instance/i-0abc");
const log = (group: string, stream = "eu-west-1a") => arn(`log-group:/mayfly/${group}:log-stream:${stream}`, "logs");

describe("a gateway's role", () => {
	test.each<[what: string, action: string, resource: string, context: Context, allowed: boolean]>([
		["its zone's default route", "ec2:ReplaceRoute", arn(`route-table/${TABLE_A}`), {}, true],
		["another zone's", "ec2:ReplaceRoute", arn(`route-table/${TABLE_B}`), {}, true],
		["a route of somebody's", "ec2:ReplaceRoute", arn("route-table/rtb-0ffffffffffffffff"), {}, false],
		["a route more in its own table", "ec2:CreateRoute", arn(`route-table/${TABLE_A}`), {}, false],
		["one less", "ec2:DeleteRoute", arn(`route-table/${TABLE_A}`), {}, false],
		["another table for a subnet", "ec2:AssociateRouteTable", arn(`route-table/${TABLE_A}`), {}, false],
		["who its peers are", "ec2:DescribeInstances", "*", {}, true],
		["where routes lead", "ec2:DescribeRouteTables", "*", {}, true],
		["the proxy's log", "logs:PutLogEvents", log("prod/proxy"), {}, true],
		["a stream of it", "logs:CreateLogStream", log("prod/proxy"), {}, true],
		["its own log", "logs:PutLogEvents", log("prod/gateway"), {}, true],
		["the resolver's log", "logs:PutLogEvents", log("prod/dns"), {}, false],
		["the poller's log", "logs:PutLogEvents", log("prod/poller"), {}, false],
		["another stack's log", "logs:PutLogEvents", log("dev/proxy"), {}, false],
		["a reading of the proxy's log", "logs:GetLogEvents", log("prod/proxy"), {}, false],
		["an end of the proxy's log", "logs:DeleteLogGroup", arn("log-group:/mayfly/prod/proxy", "logs"), {}, false],
		["a machine", "ec2:RunInstances", INSTANCE, {}, false],
		["the end of a machine", "ec2:TerminateInstances", INSTANCE, { "aws:ResourceTag/mayfly:stack": "prod" }, false],
		["that it takes what is addressed to others", "ec2:ModifyInstanceAttribute", INSTANCE, {}, false],
		["another address", "ec2:AssociateAddress", arn("elastic-ip/eipalloc-0a"), {}, false],
		["the App's key", "secretsmanager:GetSecretValue", arn("secret:mayfly/prod-AbCdEf", "secretsmanager"), {}, false],
		["an object of the mailbox", "s3:GetObject", "arn:aws:s3:::prod-mailbox/config/abc.json", {}, false],
		["a role", "iam:PassRole", `arn:aws:iam::${ACCOUNT}:role/admin`, { "iam:PassedToService": "ec2.amazonaws.com" }, false],
	])("%s: %s on %s", async (_, action, resource, context, allowed) => {
		expect(await isAllowed(policies, action, resource, context)).toBe(allowed);
	});

	test("changes nothing on every resource, and names no action by a pattern", () => {
		expect(wideChanges(statements)).toEqual([]);
		expect(patterns(statements)).toEqual([]);
	});

	test("can be taken by EC2 alone", () => {
		expect(role.AssumeRolePolicyDocument.Statement).toEqual([
			{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
		]);
	});
});
