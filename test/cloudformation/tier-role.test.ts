// The one tier that may have a role: what the poller may then do, and what the role may ever do.
import { describe, expect, test } from "bun:test";
import { unknownKeys } from "./condition-keys.ts";
import { ACCOUNT, arn, type Context, type Document, isAllowed, patterns, REGION, type Role, wideChanges } from "./iam.ts";
import { refusals } from "./refusals.ts";
import { readTemplate, render } from "./template.ts";

const TIER_ROLE = `arn:aws:iam::${ACCOUNT}:role/mayfly-deploy`;
const PROFILE = `arn:aws:iam::${ACCOUNT}:instance-profile/mayfly-deploy`;
const [PLAIN, WITH_ROLE] = ["lt-0a1b2c3d4e5f60001", "lt-0a1b2c3d4e5f60003"];
const [BUILD, DEPLOY] = [arn("subnet/subnet-0b"), arn("subnet/subnet-0d")];
const given = {
	...{ Stack: "prod", VpcSubnets: "subnet-0aa", VpcSecurityGroup: "sg-0poller", RelayUrl: "https://relay.example.com", AppId: "42" },
	...{ SecretArn: arn("secret:mayfly/prod-AbCdEf", "secretsmanager"), MailboxBucket: "prod-mailbox", ConfigKey: "config/abc.json" },
	...{ LaunchTemplateX64: PLAIN, LaunchTemplateX64Version: "1", LaunchTemplateArm64: "lt-0a1b2c3d4e5f60002" },
	...{ LaunchTemplateArm64Version: "1", ImageX64: "ami-0x", ImageArm64: "ami-0y", InstanceTypes: "c8i.*" },
	...{ Subnets: '{"id":"subnet-0d","zone":"eu-west-1a","tier":"deploy"}', RunnerSubnets: `${BUILD},${DEPLOY}` },
	...{ RunnerSecurityGroups: arn("security-group/sg-0a") },
};
const ofTier = {
	...{ TierRole: TIER_ROLE, TierRoleProfile: PROFILE, TierRoleTier: "deploy" },
	...{ RoleTemplateX64: WITH_ROLE, RoleTemplateX64Version: "1", RoleTemplateArm64: "lt-0a1b2c3d4e5f60004", RoleTemplateArm64Version: "1" },
};
function pollerWith(more: object) {
	const { resources } = render(readTemplate("poller"), { ...given, ...more });
	const role = resources.Role?.Properties as unknown as Role;
	const environment = resources.Function?.Properties?.Environment as unknown as { Variables: Record<string, string> };
	return {
		identity: role.Policies.map(({ PolicyDocument }) => PolicyDocument),
		infrastructure: JSON.parse(environment.Variables.INFRASTRUCTURE ?? ""),
	};
}
const poller = pollerWith(ofTier);

const INSTANCE = arn("instance/i-0abc");
const lt = (id: string) => ({ "ec2:LaunchTemplate": arn(`launch-template/${id}`) });
const MACHINE = {
	...{ "aws:RequestTag/mayfly:stack": "prod", "aws:RequestTag/mayfly:tier": "deploy", "ec2:MetadataHttpTokens": "required" },
	...{ "ec2:InstanceType": "c8i.large", "ec2:InstanceProfile": PROFILE, ...lt(WITH_ROLE) },
};
const FLEET_MACHINE = {
	...{ "aws:RequestTag/mayfly:stack": "prod", "aws:RequestTag/mayfly:tier": "deploy" },
	...{ "ec2:InstanceType": "c8i.large", "ec2:InstanceProfile": PROFILE },
};
const PASSED = { "iam:PassedToService": "ec2.amazonaws.com" };
const TAGGED = (tier: string) => ({ "aws:ResourceTag/mayfly:tier": tier });
type Case = [what: string, action: string, resource: string, context: Context, allowed: boolean];

describe("the poller of a stack whose tier has a role", () => {
	test.each<Case>([
		["that role to a machine", "iam:PassRole", TIER_ROLE, PASSED, true],
		["another role", "iam:PassRole", `arn:aws:iam::${ACCOUNT}:role/admin`, PASSED, false],
		["one whose name begins like it", "iam:PassRole", `${TIER_ROLE}-2`, PASSED, false],
		["that role to a function", "iam:PassRole", TIER_ROLE, { "iam:PassedToService": "lambda.amazonaws.com" }, false],
		["a machine with it", "ec2:RunInstances", INSTANCE, MACHINE, true],
		["one of another tier with it", "ec2:RunInstances", INSTANCE, { ...MACHINE, "aws:RequestTag/mayfly:tier": "build" }, false],
		["one by the launch template of the others with it", "ec2:RunInstances", INSTANCE, { ...MACHINE, ...lt(PLAIN) }, false],
		["one with it that says it is a gateway", "ec2:RunInstances", INSTANCE, { ...MACHINE, "aws:RequestTag/mayfly:gateway": "prod" }, false],
		["one with another role", "ec2:RunInstances", INSTANCE, { ...MACHINE, "ec2:InstanceProfile": `${PROFILE}-2` }, false],
		["one with it and IMDSv1", "ec2:RunInstances", INSTANCE, { ...MACHINE, "ec2:MetadataHttpTokens": "optional" }, false],
		["one with it of a type that is not allowed", "ec2:RunInstances", INSTANCE, { ...MACHINE, "ec2:InstanceType": "p5.48xlarge" }, false],
		["a fleet's machine with it", "ec2:CreateFleet", INSTANCE, FLEET_MACHINE, true],
		["its launch template", "ec2:RunInstances", arn(`launch-template/${WITH_ROLE}`), {}, true],
		["its tier's subnet", "ec2:RunInstances", DEPLOY, { ...lt(WITH_ROLE), ...TAGGED("deploy") }, true],
		["another tier's subnet for it", "ec2:RunInstances", BUILD, { ...lt(WITH_ROLE), ...TAGGED("build") }, false],
		["a subnet of no tier for it", "ec2:RunInstances", BUILD, lt(WITH_ROLE), false],
		["another tier's subnet for a machine without a role", "ec2:RunInstances", BUILD, { ...lt(PLAIN), ...TAGGED("build") }, true],
		["a profile for a machine that runs", "ec2:AssociateIamInstanceProfile", INSTANCE, { "aws:ResourceTag/mayfly:stack": "prod" }, false],
	])("%s: %s on %s", async (_, action, resource, context, allowed) => {
		expect(await isAllowed(poller, action, resource, context)).toBe(allowed);
	});

	test("is told which launch templates are that tier's, and of no other", () => {
		const { deploy, ...others } = poller.infrastructure.tierLaunchTemplates;
		expect(deploy).toEqual({ x64: { id: WITH_ROLE, version: "1" }, arm64: { id: "lt-0a1b2c3d4e5f60004", version: "1" } });
		expect(others).toEqual({});
		expect(pollerWith({}).infrastructure).not.toHaveProperty("tierLaunchTemplates");
	});

	test("may give that role to nothing when no tier has one", async () => {
		expect(await isAllowed(pollerWith({}), "iam:PassRole", TIER_ROLE, PASSED)).toBe(false);
		expect(await isAllowed(pollerWith({}), "ec2:RunInstances", INSTANCE, MACHINE)).toBe(false);
	});

	test("changes nothing on every resource, names no action by a pattern, and asks of each call only what EC2 tells of it", async () => {
		const statements = poller.identity.flatMap(({ Statement }) => Statement);
		expect(await unknownKeys(statements)).toEqual([]);
		expect(wideChanges(statements)).toEqual([]);
		expect(patterns(statements)).toEqual([]);
	});
});

// The refusals are the poller's own, not the lack of a permission that somebody could add.
describe.each([
	["a tier with a role", poller],
	["none", pollerWith({})],
])("the poller of a stack with %s, even if its role were given everything", (_, { identity }) => {
	const everything = { identity: [...identity, { Statement: [{ Sid: "All", Effect: "Allow", Action: "*", Resource: "*" }] }] };
	const RUNS = { "aws:ResourceTag/mayfly:stack": "prod" };

	test.each<[action: string, resource: string, context: Context]>([
		["iam:PassRole", `arn:aws:iam::${ACCOUNT}:role/admin`, PASSED],
		["ec2:AssociateIamInstanceProfile", INSTANCE, RUNS],
		["ec2:ReplaceIamInstanceProfileAssociation", INSTANCE, RUNS],
	])("may not %s on %s", async (action, resource, context) => {
		expect(await isAllowed(everything, action, resource, context)).toBe(false);
	});
});

describe("the role that tier-role.yaml makes", () => {
	const asked = {
		RoleName: "mayfly-deploy",
		Actions: "s3:PutObject,ecr:PutImage",
		Resources: `arn:aws:s3:::site/*,${arn("repository/app", "ecr")}`,
	};
	const { resources } = render(readTemplate("tier-role"), asked);
	const role = resources.Role?.Properties as unknown as Role;
	const boundary = resources.Boundary?.Properties?.PolicyDocument as unknown as Document;
	const policies = { identity: role.Policies.map(({ PolicyDocument }) => PolicyDocument), boundary };
	const admin = { identity: [{ Statement: [{ Sid: "All", Effect: "Allow", Action: "*", Resource: "*" }] }], boundary };

	test.each<[what: string, action: string, resource: string, allowed: boolean]>([
		["what it was made for", "s3:PutObject", "arn:aws:s3:::site/index.html", true],
		["the other thing", "ecr:PutImage", arn("repository/app", "ecr"), true],
		["the same elsewhere", "s3:PutObject", "arn:aws:s3:::other/index.html", false],
		["something else there", "s3:DeleteObject", "arn:aws:s3:::site/index.html", false],
	])("%s: %s on %s", async (_, action, resource, allowed) => {
		expect(await isAllowed(policies, action, resource)).toBe(allowed);
		expect(await isAllowed(admin, action, resource)).toBe(allowed);
	});

	test.each<[action: string, resource: string]>([
		["iam:CreateUser", `arn:aws:iam::${ACCOUNT}:user/x`],
		["iam:DeleteRolePermissionsBoundary", `arn:aws:iam::${ACCOUNT}:role/mayfly-deploy`],
		["sts:AssumeRole", `arn:aws:iam::${ACCOUNT}:role/admin`],
		["ec2:RunInstances", `arn:aws:ec2:${REGION}:${ACCOUNT}:instance/*`],
	])("never %s, even if it were given everything", async (action, resource) => {
		expect(await isAllowed(admin, action, resource)).toBe(false);
		const { resources } = render(readTemplate("tier-role"), { ...asked, Actions: action, Resources: resource });
		const wide = resources.Boundary?.Properties?.PolicyDocument as unknown as Document;
		expect(await isAllowed({ identity: admin.identity, boundary: wide }, action, resource)).toBe(false);
	});

	test.each<[string, object]>([
		["Actions", { Actions: "s3:*" }],
		["Actions", { Actions: "s3:PutObject,*" }],
		["Resources", { Resources: "*" }],
		["Resources", { Resources: "arn:aws:s3:::site/*,*" }],
		["RoleName", { RoleName: "a" }],
	])("is not made with such %s: %p", (name, given) => {
		expect(refusals(readTemplate("tier-role"), asked)).toEqual([]);
		expect(refusals(readTemplate("tier-role"), { ...asked, ...given })).toEqual([name]);
	});

	test("is bounded, can be taken by EC2 alone, and has a profile of its own name", () => {
		expect(role.PermissionsBoundary).toBe("Boundary");
		expect(JSON.stringify(role.AssumeRolePolicyDocument.Statement)).toContain('"Service":"ec2.amazonaws.com"');
		expect(resources.Profile?.Properties).toEqual({ InstanceProfileName: "mayfly-deploy", Roles: ["Role"] });
	});
});
