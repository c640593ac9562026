// Roles in CloudFormation templates: parameters and conditions are looked at for what they let through.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkFile } from "../../cli/deploy-role/check-file.ts";

const OWN = readFileSync(join(import.meta.dir, "..", "..", "cloudformation", "deploy-role.yaml"), "utf8");
const saidOf = (text: string) => checkFile(text).problems.map(({ reason }) => reason);
const changed = (from: string | RegExp, to: string) => {
	const text = OWN.replace(from, to);
	expect(text).not.toBe(OWN);
	return saidOf(text);
};

/** A template with one role; its subject and parameters are the test's. */
const template = (subject: string, parameters = "", more = "") => `
Parameters:
  Boundary: { Type: String, AllowedPattern: "^arn:aws:iam::[0-9]{12}:policy/.+$" }
${parameters}
Resources:
  Github:
    Type: AWS::IAM::OIDCProvider
    Properties: { Url: https://token.actions.githubusercontent.com, ClientIdList: [sts.amazonaws.com] }
  Shop:
    Type: AWS::IAM::Role
    Properties:
      PermissionsBoundary: !Ref Boundary
${more}
      AssumeRolePolicyDocument:
        Statement:
          - Effect: Allow
            Principal: { Federated: !Ref Github }
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals:
                token.actions.githubusercontent.com:aud: sts.amazonaws.com
                token.actions.githubusercontent.com:sub: ${subject}
`;
const PLAIN = "repo:octo-org/shop:environment:production";

describe("the template that ships", () => {
	test("has one role, and nothing is wrong with it", () => {
		expect(checkFile(OWN)).toEqual({ roles: [{ name: "Role", untold: [] }], others: 0, problems: [] });
	});

	test.each<[string, string | RegExp, string, string]>([
		["a repository of any name", /AllowedPattern: "\^\[A-Za-z0-9\]\[A-Za-z0-9-\]\{0,38\}.*\n/, "\n", "the parameter Repository may be"],
		["an environment of any name", /AllowedPattern: "\^\(\[A-Za-z0-9\]\(\[A-Za-z0-9 _.*\n/, "\n", "the parameter Environment may be"],
		["a ref of any name", "[A-Za-z0-9_./-]{0,199}", "[A-Za-z0-9_./*-]{0,199}", "the parameter Ref may be"],
		["any provider", /AllowedPattern: "\^\(arn.*oidc-provider.*\n/, "\n", "the parameter OidcProviderArn may be"],
		[
			"any boundary",
			/AllowedPattern: "\^arn:aws\[a-z-\]\*:iam::\[0-9\]\{12\}:policy.*\n/,
			"\n",
			"the parameter PermissionsBoundaryArn may be",
		],
		["another operator", "StringEquals:", "StringLike:", "StringLike takes wildcards"],
		["two hours", "MaxSessionDuration: 3600", "MaxSessionDuration: 7200", "more than an hour"],
		["no boundary", "PermissionsBoundary: !Ref PermissionsBoundaryArn", "Path: /", "there is no permissions boundary"],
		["all environments on one branch of a condition", "environment:${Environment}", "environment:*", "holds a wildcard"],
	])("with %s is refused", (_, from, to, reason) => {
		expect(changed(from, to).join("\n")).toContain(reason);
	});
});

describe("a template", () => {
	test.each([
		["whose subject is written out", PLAIN, ""],
		[
			"whose parameter has few values",
			"!Sub repo:octo-org/shop:environment:${Stage}",
			"  Stage: { Type: String, AllowedValues: [staging, production] }",
		],
		[
			"whose parts are joined",
			'!Join [":", [repo, !Ref Repo, ref, refs/heads/main]]',
			'  Repo: { Type: String, AllowedPattern: "^octo-org/[a-z-]+$" }',
		],
		[
			"whose whole subject has a strict pattern",
			"!Ref Sub",
			'  Sub: { Type: String, AllowedPattern: "^repo:[a-z-]+/[a-z-]+:environment:[a-z]+$" }',
		],
		["whose Sub has names of its own", "!Sub ['repo:${R}:environment:production', { R: octo-org/shop }]", ""],
	])("%s is fine", (_, subject, parameters) => {
		expect(saidOf(template(subject, parameters))).toEqual([]);
	});

	test.each<[string, string, string, string]>([
		[
			"whose repository is a parameter without a pattern",
			"!Sub repo:${R}:environment:production",
			"  R: { Type: String }",
			"the parameter R may be",
		],
		[
			"whose pattern has no ends",
			"!Sub repo:octo-org/shop:environment:${E}",
			'  E: { Type: String, AllowedPattern: "[a-z]+" }',
			"from ^ to $",
		],
		[
			"whose pattern cannot be read",
			"!Sub repo:octo-org/shop:environment:${E}",
			'  E: { Type: String, AllowedPattern: "([" }',
			"the parameter E may be",
		],
		[
			"one of whose values is a wildcard",
			"!Sub repo:octo-org/shop:environment:${E}",
			'  E: { Type: String, AllowedValues: [production, "*"] }',
			'may be "*"',
		],
		[
			"whose default is a wildcard",
			"!Sub repo:octo-org/shop:environment:${E}",
			'  E: { Type: String, Default: "*" }',
			"the parameter E may be",
		],
		["that writes all repositories itself", "!Sub repo:${Org}/*", '  Org: { Type: String, AllowedPattern: "^[a-z]+$" }', "wildcard"],
		["that imports the subject", "!ImportValue subject", "", "Fn::ImportValue may be"],
		[
			"that writes a variable of IAM's",
			"!Sub 'repo:octo-org/${!token.actions.githubusercontent.com:repository}:environment:x'",
			"",
			"holds a variable",
		],
		["that chooses between one and all", '!If [Wide, "repo:octo-org/*", "repo:octo-org/shop:environment:production"]', "", "wildcard"],
	])("%s is refused", (_, subject, parameters, reason) => {
		expect(saidOf(template(subject, parameters)).join("\n")).toContain(reason);
	});

	test.each([
		["Hours: { Type: Number, MaxValue: 3600 }", []],
		["Hours: { Type: Number, AllowedValues: [900, 3600] }", []],
		["Hours: { Type: Number, Default: 3600 }", ["may be more than an hour: write 3600, or give the parameter MaxValue: 3600"]],
		["Hours: { Type: Number, MaxValue: 43200 }", ["may be more than an hour: write 3600, or give the parameter MaxValue: 3600"]],
	])("with the session %s: %p", (parameter, said) => {
		expect(saidOf(template(PLAIN, `  ${parameter}`, "      MaxSessionDuration: !Ref Hours"))).toEqual(said);
	});

	test("with a boundary under one condition only is refused", () => {
		const text = template(PLAIN).replace(
			"PermissionsBoundary: !Ref Boundary",
			'PermissionsBoundary: !If [Strict, !Ref Boundary, !Ref "AWS::NoValue"]',
		);
		expect(saidOf(text).join("\n")).toContain("there is no permissions boundary");
	});

	test("with a statement under one condition only is looked at with it and without", () => {
		const text = template(PLAIN).replace(
			"        Statement:\n",
			'        Statement:\n          - !If [Debug, { Effect: Allow, Principal: "*", Action: "sts:*" }, !Ref "AWS::NoValue"]\n',
		);
		expect(saidOf(text).join("\n")).toContain("anybody could take the role");
	});

	test("that trusts a provider of somebody else's is refused", () => {
		expect(
			saidOf(template(PLAIN).replace("https://token.actions.githubusercontent.com,", "https://evil.example.com,")).join("\n"),
		).toContain("is not GitHub's provider");
	});

	test("as JSON, with tabs, is read as well", () => {
		const Statement = [{ Effect: "Allow", Principal: { Federated: { Ref: "P" } }, Action: "sts:AssumeRoleWithWebIdentity" }];
		const json = { Resources: { R: { Type: "AWS::IAM::Role", Properties: { AssumeRolePolicyDocument: { Statement } } } } };
		const { problems } = checkFile(JSON.stringify(json, null, "\t"));
		expect(problems.map(({ path }) => path)).toContain("Resources.R.Properties.AssumeRolePolicyDocument.Statement.0");
		expect(problems.every(({ line }) => line > 3)).toBe(true);
	});

	test("a role beside a good one that a macro or Terraform writes only later cannot be told, and is refused", () => {
		const hidden =
			"  Other:\n    Type: AWS::IAM::Role\n    Properties: { Fn::Transform: { Name: AWS::Include, Parameters: { Location: s3://a/b } } }\n";
		expect(saidOf(`${template(PLAIN)}${hidden}`)).toEqual(["the trust policy cannot be read: write it out"]);
		const planned = { type: "aws_iam_role", mode: "managed", name: "deploy", values: { max_session_duration: 3600 } };
		const plan = { planned_values: { root_module: { resources: [planned] } } };
		expect(saidOf(JSON.stringify(plan))).toEqual(["the trust policy cannot be read: write it out"]);
	});

	test("whose policy is a text with holes cannot be told, and is refused", () => {
		const text = template(PLAIN).replace(
			/AssumeRolePolicyDocument:[\s\S]*/,
			'AssumeRolePolicyDocument: !Sub \'{"Statement": "${Boundary}"}\'\n',
		);
		expect(saidOf(text)).toEqual(["the trust policy cannot be read: write it out"]);
	});

	test("with more conditions than can be tried is refused", () => {
		const nested = Array.from({ length: 7 }, (_, at) => at).reduce((inner, at) => `!If [C${at}, ${inner}, "${PLAIN}"]`, `"${PLAIN}"`);
		expect(saidOf(template(nested))).toEqual(["depends on too many conditions to be told: write it simpler"]);
	});
});
