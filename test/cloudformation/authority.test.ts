// What the stack's two roles may do to the stack itself, by the whole stack's own names: no role reaches what is the other's, or an operator's.
import { describe, expect, test } from "bun:test";
import { ACCOUNT, arn, type Context, isAllowed, type Role } from "./iam.ts";
import { stackOf } from "./stack.ts";

const TIER_ROLE = { Tier: "nightly", Arn: `arn:aws:iam::${ACCOUNT}:role/mayfly-nightly` };
const STACKS = [
	["as it comes", stackOf()],
	["of three zones and a tier with a role", stackOf({ Zones: 3 }, { tiers: ["build", "deploy", "nightly"], role: TIER_ROLE })],
] as const;

const INSTANCE = arn("instance/i-0abc");
const MACHINE = {
	"aws:RequestTag/mayfly:stack": "mayfly",
	"ec2:MetadataHttpTokens": "required",
	"ec2:InstanceType": "c8g.large",
	"ec2:LaunchTemplate": arn("launch-template/Runners-LaunchTemplateX64"),
};
const GATEWAY = { "aws:ResourceTag/mayfly:gateway": "mayfly" };
const OURS = { "aws:ResourceTag/mayfly:stack": "mayfly" };
type Case = [what: string, action: string, resource: string, context: Context, allowed: boolean];

const POLLER: Case[] = [
	["a machine", "ec2:RunInstances", INSTANCE, MACHINE, true],
	["in a tier's subnet", "ec2:RunInstances", arn("subnet/TierOne-SubnetA"), {}, true],
	["in a gateway's subnet", "ec2:RunInstances", arn("subnet/Network-GatewaySubnetA"), {}, false],
	["in the poller's own subnet", "ec2:RunInstances", arn("subnet/Network-PollerSubnetA"), {}, false],
	["in the machines' group", "ec2:RunInstances", arn("security-group/Runners-SecurityGroup.GroupId"), {}, true],
	["in the gateways' group", "ec2:RunInstances", arn("security-group/Network-GatewayGroup.GroupId"), {}, false],
	["by the gateways' template", "ec2:RunInstances", arn("launch-template/Egress-Template"), {}, false],
	["with a key pair", "ec2:RunInstances", arn("key-pair/mine"), {}, false],
	["with a disk of a snapshot", "ec2:RunInstances", "arn:aws:ec2:eu-west-1::snapshot/snap-0abc", {}, false],
	["the gateways' role for a machine", "iam:PassRole", `arn:aws:iam::${ACCOUNT}:role/Egress-Role`, {}, false],
	["the end of a gateway", "ec2:TerminateInstances", INSTANCE, GATEWAY, false],
	["of one whose tag is empty", "ec2:TerminateInstances", INSTANCE, { ...OURS, "aws:ResourceTag/mayfly:gateway": "" }, false],
	["a gateway's tag for a machine", "ec2:CreateTags", INSTANCE, { ...OURS, "aws:TagKeys": ["mayfly:job", "mayfly:gateway"] }, false],
	["tags of somebody's new disk", "ec2:CreateTags", INSTANCE, { "ec2:CreateAction": "CreateVolume" }, false],
	["approval of an image", "ec2:CreateTags", "arn:aws:ec2:eu-west-1::image/ami-0abc", { "ec2:CreateAction": "RunInstances" }, false],
	["tags taken away", "ec2:DeleteTags", INSTANCE, OURS, false],
	["another route", "ec2:ReplaceRoute", arn("route-table/Network-RoutesA"), {}, false],
	["other code for itself", "lambda:UpdateFunctionCode", arn("function:Poller-Function", "lambda"), {}, false],
	["another list for gateways", "s3:PutObject", "arn:aws:s3:::Mailbox-Bucket/dist/egress/current.json", {}, false],
	["another config for itself", "s3:PutObject", "arn:aws:s3:::Mailbox-Bucket/config/none.json", {}, false],
];
const GATEWAYS: Case[] = [
	["a zone's route", "ec2:ReplaceRoute", arn("route-table/Network-RoutesA"), {}, true],
	["the gateways' own way out", "ec2:ReplaceRoute", arn("route-table/Network-PublicRoutes"), {}, false],
	["a new route", "ec2:CreateRoute", arn("route-table/Network-RoutesA"), {}, false],
	["another gateway's address", "ec2:AssociateAddress", arn("elastic-ip/eipalloc-0abc"), {}, false],
	["the end of another gateway", "ec2:TerminateInstances", INSTANCE, GATEWAY, false],
	["its own list", "s3:PutObject", "arn:aws:s3:::Mailbox-Bucket/dist/egress/current.json", {}, false],
	["lines of its log", "logs:PutLogEvents", arn("log-group:/mayfly/mayfly/proxy:log-stream:i-0abc", "logs"), {}, true],
	["lines of the poller's", "logs:PutLogEvents", arn("log-group:/mayfly/mayfly/poller:log-stream:x", "logs"), {}, false],
	["the end of its log", "logs:DeleteLogGroup", arn("log-group:/mayfly/mayfly/proxy", "logs"), {}, false],
];

describe.each(STACKS)("a stack %s", (_, stack) => {
	const policiesOf = (name: string) => ({
		identity: (stack.get(name) as unknown as Role).Policies.map(({ PolicyDocument }) => PolicyDocument),
	});

	test.each(POLLER)("the poller and %s", async (_, action, resource, context, allowed) => {
		expect(await isAllowed(policiesOf("Poller-Role"), action, resource, context)).toBe(allowed);
	});

	test.each(GATEWAYS)("a gateway and %s", async (_, action, resource, context, allowed) => {
		expect(await isAllowed(policiesOf("Egress-Role"), action, resource, context)).toBe(allowed);
	});
});
