// What CloudFormation may do with the service role, and the person who gives it: put to an IAM evaluator of others, and beside what AWS's registry says
// that each of our resource types needs.
import { beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ACCOUNT, arn, type Context, type Document, isAllowed, isAllowedUnchecked, patterns, wideChanges } from "../cloudformation/iam.ts";
import { PSEUDO, readTemplate, render } from "../cloudformation/template.ts";
import { CREATES, type Request } from "./creates.ts";
import { type Handlers, readRegistry } from "./registry.ts";
import { UNUSED } from "./unused-actions.ts";

const { resources } = render({ ...readTemplate("service-role"), Parameters: {} }, {});
const documentOf = (name: string) => (resources[name] as unknown as { Properties: { PolicyDocument: Document } }).Properties.PolicyDocument;
const role = resources.Role?.Properties as unknown as { Policies: { PolicyDocument: Document }[]; AssumeRolePolicyDocument: Document };
const cloudFormation = {
	identity: [...role.Policies.map(({ PolicyDocument }) => PolicyDocument), documentOf("Network"), documentOf("Services")],
};
const ROLE = `arn:aws:iam::${ACCOUNT}:role/mayfly-cloudformation`;
/** References to the role, as CloudFormation fills them in. */
const deployer = { identity: [JSON.parse(JSON.stringify(documentOf("Deployer")).replaceAll("Role.Arn", ROLE)) as Document] };
const statements = cloudFormation.identity.flatMap(({ Statement }) => Statement);
const iam = (what: string) => `arn:aws:iam::${ACCOUNT}:${what}`;
const OURS = { "aws:ResourceTag/mayfly:stack": "mayfly" };
const GATEWAY = { "aws:ResourceTag/mayfly:gateway": "mayfly" };

/** Types of all templates that are deployed through the role. */
const types = [
	...new Set(
		readdirSync(join(import.meta.dir, "..", "..", "cloudformation"))
			.filter((name) => name.endsWith(".yaml") && !/^(service|deploy|tier)-role/.test(name))
			.flatMap((name) => Object.values(readTemplate(name.replace(".yaml", "")).Resources).map(({ Type }) => Type)),
	),
].toSorted();

describe("the service role", () => {
	test("makes every type that the templates have", async () => {
		expect(Object.keys(CREATES).toSorted()).toEqual(types);
		for (const [type, [action, resource, context]] of Object.entries(CREATES) as [string, Request][])
			expect([type, await isAllowed(cloudFormation, action, resource, context)]).toEqual([type, true]);
	});

	test.each<[what: string, action: string, resource: string, context: Context, allowed: boolean]>([
		["a network without our tag", "ec2:CreateVpc", arn("vpc/vpc-0a"), {}, false],
		["a subnet of ours in somebody's VPC", "ec2:CreateSubnet", arn("vpc/vpc-0a"), {}, true],
		["a route of ours", "ec2:ReplaceRoute", arn("route-table/rtb-0a"), OURS, true],
		["somebody's route", "ec2:ReplaceRoute", arn("route-table/rtb-0a"), {}, false],
		["the end of somebody's VPC", "ec2:DeleteVpc", arn("vpc/vpc-0a"), {}, false],
		["the end of a gateway", "ec2:TerminateInstances", arn("instance/i-0a"), GATEWAY, true],
		["the end of somebody's instance", "ec2:TerminateInstances", arn("instance/i-0a"), {}, false],
		["the end of a machine, which is the poller's", "ec2:TerminateInstances", arn("instance/i-0a"), OURS, false],
		["an instance that is no gateway", "ec2:RunInstances", arn("instance/i-0a"), {}, false],
		["a gateway in somebody's subnet", "ec2:RunInstances", arn("subnet/subnet-0a"), {}, false],
		["our tag on what is somebody's", "ec2:CreateTags", arn("instance/i-0a"), {}, false],
		["an address of somebody's", "ec2:ReleaseAddress", arn("elastic-ip/eipalloc-0a"), {}, false],
		["a role of the stack", "iam:PutRolePolicy", iam("role/mayfly-Poller-1A-Role-2B"), {}, true],
		["another role", "iam:PutRolePolicy", iam("role/admin"), {}, false],
		["itself", "iam:PutRolePolicy", iam("role/mayfly-cloudformation"), {}, false],
		["who may take it", "iam:UpdateAssumeRolePolicy", iam("role/mayfly-cloudformation"), {}, false],
		["its policies", "iam:CreatePolicyVersion", iam("policy/mayfly-cloudformation-services"), {}, false],
		["the deployer's policy", "iam:CreatePolicyVersion", iam("policy/mayfly-deployer"), {}, false],
		["a policy on a role", "iam:AttachRolePolicy", iam("role/mayfly-Poller-1A-Role-2B"), {}, false],
		["a user", "iam:CreateUser", iam("user/mayfly"), {}, false],
		["keys", "iam:CreateAccessKey", iam("user/mayfly"), {}, false],
		[
			"the poller's role to Lambda",
			"iam:PassRole",
			iam("role/mayfly-Poller-1A-Role-2B"),
			{ "iam:PassedToService": "lambda.amazonaws.com" },
			true,
		],
		[
			"a role to another service",
			"iam:PassRole",
			iam("role/mayfly-Poller-1A-Role-2B"),
			{ "iam:PassedToService": "ecs.amazonaws.com" },
			false,
		],
		["another role to Lambda", "iam:PassRole", iam("role/admin"), { "iam:PassedToService": "lambda.amazonaws.com" }, false],
		[
			"a role of another service",
			"iam:CreateServiceLinkedRole",
			iam("role/aws-service-role/x"),
			{ "iam:AWSServiceName": "support.amazonaws.com" },
			false,
		],
		["another stack", "cloudformation:DeleteStack", arn("stack/shop/1", "cloudformation"), {}, false],
		["another function", "lambda:UpdateFunctionCode", arn("function:shop", "lambda"), {}, false],
		["a call of the poller", "lambda:InvokeFunction", arn("function:mayfly-Poller-1A", "lambda"), {}, false],
		["another bucket", "s3:PutBucketPolicy", "arn:aws:s3:::shop", {}, false],
		["a boot document", "s3:GetObject", "arn:aws:s3:::mayfly-mailbox-1a/boot/10.0.0.1/i-0a", {}, false],
		["a public bucket of ours", "s3:PutAccountPublicAccessBlock", "*", {}, false],
		["another log group", "logs:DeleteLogGroup", arn("log-group:/shop/api", "logs"), {}, false],
		["the secret", "secretsmanager:GetSecretValue", arn("secret:mayfly/prod-AbCdEf", "secretsmanager"), {}, false],
		["another parameter", "ssm:GetParameters", arn("parameter/shop/key", "ssm"), {}, false],
		["another topic", "sns:DeleteTopic", arn("shop", "sns"), {}, false],
		["another alarm", "cloudwatch:DeleteAlarms", arn("alarm:shop", "cloudwatch"), {}, false],
		["the firewall of a VPC as a whole", "route53resolver:UpdateFirewallConfig", arn("firewall-config/x", "route53resolver"), {}, false],
	])("%s: %s", async (_, action, resource, context, allowed) => {
		expect(await isAllowed(cloudFormation, action, resource, context)).toBe(allowed);
	});

	test("is taken by CloudFormation of this account alone", () => {
		expect(role.AssumeRolePolicyDocument.Statement).toEqual([
			expect.objectContaining({
				Principal: { Service: "cloudformation.amazonaws.com" },
				Condition: { StringEquals: { "aws:SourceAccount": PSEUDO["AWS::AccountId"] } },
			}),
		]);
	});

	test("changes on everything only what AWS does not limit, and names actions by a pattern only to look", () => {
		expect(
			wideChanges(statements)
				.filter((action) => !/:Get/.test(action))
				.toSorted(),
		).toEqual(
			[
				"CreateLogDelivery",
				"DeleteLogDelivery",
				"DeleteQueryDefinition",
				"DeleteResourcePolicy",
				"PutQueryDefinition",
				"PutResourcePolicy",
				"UpdateLogDelivery",
			].map((name) => `logs:${name}`),
		);
		expect(patterns(statements)).toEqual(["ec2:Describe*"]);
	});

	test("fits into what IAM takes", () => {
		const size = (document: Document) => JSON.stringify(document).length;
		expect(role.Policies.reduce((sum, { PolicyDocument }) => sum + size(PolicyDocument), 0)).toBeLessThan(10_240);
		for (const name of ["Network", "Services", "Deployer"]) expect(size(documentOf(name))).toBeLessThan(6144);
	});
});

describe("what AWS's registry says that a type's handlers call", () => {
	let handlersOf: (type: string) => Handlers;
	beforeAll(async () => {
		handlersOf = await readRegistry();
	}, 300_000);
	const allowed = statements.filter(({ Effect }) => Effect === "Allow").flatMap(({ Action }) => Action);
	const isNamed = (action: string) => allowed.some((name) => (name.endsWith("*") ? action.startsWith(name.slice(0, -1)) : name === action));

	test.each(types)("%s is allowed, or belongs to what we do not use of it", (type) => {
		const { create, update, delete: remove } = handlersOf(type);
		const unused = Object.values(UNUSED).flat();
		expect([...new Set([...create, ...update, ...remove])].filter((action) => !isNamed(action) && !unused.includes(action))).toEqual([]);
	});

	test("is used where we say that it is not", () => {
		expect(Object.values(UNUSED).flat().filter(isNamed)).toEqual([]);
		const called = types.flatMap((type) => Object.values(handlersOf(type)).flat());
		expect(
			Object.values(UNUSED)
				.flat()
				.filter((action) => !called.includes(action)),
		).toEqual([]);
	});
});

describe("the deployer", () => {
	const STACK = arn("stack/mayfly/1", "cloudformation");
	const BY_ROLE = { "cloudformation:RoleArn": ROLE };
	test.each<[what: string, action: string, resource: string, context: Context, allowed: boolean]>([
		["a change set by the role", "cloudformation:CreateChangeSet", STACK, BY_ROLE, true],
		["the artifacts' stack by the role", "cloudformation:CreateStack", arn("stack/mayfly-artifacts/1", "cloudformation"), BY_ROLE, true],
		["the role given to CloudFormation", "iam:PassRole", ROLE, { "iam:PassedToService": "cloudformation.amazonaws.com" }, true],
		["the role given to Lambda", "iam:PassRole", ROLE, { "iam:PassedToService": "lambda.amazonaws.com" }, false],
		["a change set by another role", "cloudformation:CreateChangeSet", STACK, { "cloudformation:RoleArn": iam("role/admin") }, false],
		["a change set without the role", "cloudformation:CreateChangeSet", STACK, {}, false],
		["a change set of another stack", "cloudformation:CreateChangeSet", arn("stack/shop/1", "cloudformation"), BY_ROLE, false],
		["a look at the stack", "cloudformation:DescribeStacks", STACK, {}, true],
		["a change set carried out", "cloudformation:ExecuteChangeSet", STACK, {}, true],
		["the way out of a rollback that failed, as it is printed", "cloudformation:ContinueUpdateRollback", STACK, {}, true],
		["the way out of another stack's", "cloudformation:ContinueUpdateRollback", arn("stack/shop/1", "cloudformation"), {}, false],
		["an update past change sets", "cloudformation:UpdateStack", STACK, BY_ROLE, false],
		["another role given", "iam:PassRole", iam("role/admin"), { "iam:PassedToService": "cloudformation.amazonaws.com" }, false],
		["an artifact", "s3:PutObject", `arn:aws:s3:::mayfly-artifacts-${ACCOUNT}-eu-west-1/code/x.zip`, {}, true],
		["an artifact of another account", "s3:PutObject", "arn:aws:s3:::mayfly-artifacts-999999999999-eu-west-1/code/x.zip", {}, false],
		["the gateways' list", "s3:PutObject", "arn:aws:s3:::mayfly-mailbox-1a/dist/egress/current.json", {}, true],
		["a boot document", "s3:GetObject", "arn:aws:s3:::mayfly-mailbox-1a/boot/10.0.0.1/i-0a", {}, false],
		["a machine's record", "s3:GetObject", "arn:aws:s3:::mayfly-mailbox-1a/records/10.0.0.1/i-0a.json", {}, false],
		["a role of its own", "iam:PutRolePolicy", ROLE, {}, false],
		["an instance", "ec2:RunInstances", arn("instance/i-0a"), {}, false],
		["the secret", "secretsmanager:GetSecretValue", arn("secret:mayfly/prod-AbCdEf", "secretsmanager"), {}, false],
	])("%s: %s", async (_, action, resource, context, allowed) => {
		expect(await isAllowed(deployer, action, resource, context)).toBe(allowed);
	});

	// The reference names the stack alone; a call with a change set's ARN alone has no stack to be judged by.
	test.each(["DescribeChangeSet", "DeleteChangeSet"])("%s of a change set by its ARN is allowed for those that deploy makes", (name) => {
		const asks = (changeSet: string) =>
			isAllowedUnchecked(deployer, `cloudformation:${name}`, arn(`changeSet/${changeSet}`, "cloudformation"));
		expect(asks("deploy-20261129T120005/0a1b")).toBe(true);
		expect(asks("deploy-20261129T120005-Egress-1A2B/0a1b")).toBe(true);
		expect(asks("shop-20261129/0a1b")).toBe(false);
	});
});
