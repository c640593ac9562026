// Who may take the role of deploy jobs: its trust policy exactly as the template renders it, put to an IAM evaluator of others; and what the
// template's rules and patterns refuse.
import { describe, expect, test } from "bun:test";
import { runSimulation } from "@cloud-copilot/iam-simulate";
import { readTemplate, render } from "./template.ts";

const HOST = "token.actions.githubusercontent.com";
const PROVIDER = `arn:aws:iam::111122223333:oidc-provider/${HOST}`;
const template = readTemplate("deploy-role") as ReturnType<typeof readTemplate> & {
	Rules: Record<string, { Assertions: { Assert: unknown; AssertDescription: string }[] }>;
};
const POLICY = "arn:aws:iam::111122223333:policy/deploy-shop";
const BOUNDARY = "arn:aws:iam::111122223333:policy/boundary";
const GIVEN = { Repository: "octo-org/shop", PolicyArns: POLICY, PermissionsBoundaryArn: BOUNDARY, OidcProviderArn: PROVIDER };
const roleOf = (more: Record<string, string>) =>
	render(template, { ...GIVEN, ...more }).resources.Role?.Properties as unknown as Record<string, object | string | number>;

/** The evaluator's tables know no claims of providers for this action: request tags stand in for them, one for one. */
const keysAsTags = (text: string) => text.replaceAll(`${HOST}:`, `aws:RequestTag/`);

interface Token {
	aud?: string;
	sub?: string;
}

async function mayTake(
	role: Record<string, unknown>,
	token: Token,
	principal = PROVIDER,
	action = "sts:AssumeRoleWithWebIdentity",
): Promise<boolean> {
	const { overallResult } = (await runSimulation(
		{
			request: {
				principal,
				action,
				resource: { resource: "arn:aws:iam::111122223333:role/deploy", accountId: "111122223333" },
				contextVariables: Object.fromEntries(Object.entries(token).map(([claim, value]) => [keysAsTags(`${HOST}:${claim}`), value])),
			},
			...{ identityPolicies: [], serviceControlPolicies: [], resourceControlPolicies: [] },
			resourcePolicy: JSON.parse(keysAsTags(JSON.stringify(role.AssumeRolePolicyDocument))),
		} as never,
		{},
	)) as { overallResult?: string };
	if (overallResult === undefined) throw new Error("the evaluator refused the request");
	return overallResult === "Allowed";
}

const aud = "sts.amazonaws.com";
const environment = roleOf({ Environment: "production" });
const branch = roleOf({ Ref: "refs/heads/main" });
const withIds = roleOf({ Repository: "octo-org@12/shop@34", Environment: "production" });

describe("the role of an environment", () => {
	test.each<[string, Token, boolean]>([
		["a job in the environment", { aud, sub: "repo:octo-org/shop:environment:production" }, true],
		["another environment", { aud, sub: "repo:octo-org/shop:environment:staging" }, false],
		["one whose name goes on", { aud, sub: "repo:octo-org/shop:environment:production-eu" }, false],
		["one in other letters", { aud, sub: "repo:octo-org/shop:environment:Production" }, false],
		["another repository", { aud, sub: "repo:octo-org/blog:environment:production" }, false],
		["one whose name goes on", { aud, sub: "repo:octo-org/shop2:environment:production" }, false],
		["another owner", { aud, sub: "repo:evil-org/shop:environment:production" }, false],
		["a branch without the environment", { aud, sub: "repo:octo-org/shop:ref:refs/heads/main" }, false],
		["a pull request", { aud, sub: "repo:octo-org/shop:pull_request" }, false],
		["the repository with ids", { aud, sub: "repo:octo-org@12/shop@34:environment:production" }, false],
		["another audience", { aud: "https://github.com/octo-org", sub: "repo:octo-org/shop:environment:production" }, false],
		["no audience", { sub: "repo:octo-org/shop:environment:production" }, false],
		["no subject", { aud }, false],
		["a subject of wildcards", { aud, sub: "repo:octo-org/*" }, false],
		["nothing", {}, false],
	])("%s: %p is let in: %p", async (_, token, allowed) => {
		expect(await mayTake(environment, token)).toBe(allowed);
	});

	test.each([
		["by another provider", "arn:aws:iam::111122223333:oidc-provider/evil.example.com", "sts:AssumeRoleWithWebIdentity"],
		["by a role of the account", "arn:aws:iam::111122223333:role/poller", "sts:AssumeRole"],
		["by another action", PROVIDER, "sts:TagSession"],
	])("is not taken %s, whatever the token", async (_, principal, action) => {
		expect(await mayTake(environment, { aud, sub: "repo:octo-org/shop:environment:production" }, principal, action)).toBe(false);
	});
});

describe("the role of a branch", () => {
	test.each<[string, Token, boolean]>([
		["a job on it", { aud, sub: "repo:octo-org/shop:ref:refs/heads/main" }, true],
		["another branch", { aud, sub: "repo:octo-org/shop:ref:refs/heads/main2" }, false],
		["a tag of that name", { aud, sub: "repo:octo-org/shop:ref:refs/tags/main" }, false],
		["an environment", { aud, sub: "repo:octo-org/shop:environment:production" }, false],
		["a pull request's merge", { aud, sub: "repo:octo-org/shop:ref:refs/pull/1/merge" }, false],
	])("%s: %p is let in: %p", async (_, token, allowed) => {
		expect(await mayTake(branch, token)).toBe(allowed);
	});
});

test("with ids, a repository of the same name is not let in", async () => {
	expect(await mayTake(withIds, { aud, sub: "repo:octo-org@12/shop@34:environment:production" })).toBe(true);
	expect(await mayTake(withIds, { aud, sub: "repo:octo-org@99/shop@34:environment:production" })).toBe(false);
	expect(await mayTake(withIds, { aud, sub: "repo:octo-org/shop:environment:production" })).toBe(false);
});

test("a role lasts an hour, stays below its boundary, and has the policies it is given", () => {
	expect(environment).toMatchObject({ MaxSessionDuration: 3600, PermissionsBoundary: BOUNDARY, ManagedPolicyArns: [POLICY] });
	expect(environment).not.toHaveProperty("Policies");
	expect(template.Parameters.PermissionsBoundaryArn).not.toHaveProperty("Default");
	expect(template.Parameters.PolicyArns).not.toHaveProperty("Default");
});

test("the provider is made where there is none, for this audience alone, and outlives the stack", () => {
	const made = render(template, { ...GIVEN, Environment: "production", OidcProviderArn: "" }).resources;
	expect(made.Provider).toMatchObject({ DeletionPolicy: "Retain", Properties: { Url: `https://${HOST}`, ClientIdList: [aud] } });
	expect(JSON.stringify(made.Role)).toContain('"Principal":{"Federated":"Provider"}');
	expect(render(template, { ...GIVEN, Environment: "production" }).resources).not.toHaveProperty("Provider");
});

/** Carries out an assertion with the parameters as CloudFormation does before it makes anything. */
function holds(assertion: unknown, given: Record<string, string | string[]>): unknown {
	const [[name, argument] = ["", null]] = typeof assertion === "object" && assertion !== null ? Object.entries(assertion) : [];
	const all = () => (argument as unknown[]).map((it) => holds(it, given));
	if (name === "Ref") return given[String(argument)];
	if (name === "Fn::Equals") return all()[0] === all()[1];
	if (name === "Fn::Not") return !all()[0];
	if (name === "Fn::And") return all().every(Boolean);
	if (name === "Fn::Or") return all().some(Boolean);
	if (name === "Fn::Contains") return (all()[0] as string[]).includes(String(all()[1]));
	if (name !== "") throw new Error(`${name} is not known here`);
	return assertion;
}

describe("the rules", () => {
	const refusals = (given: { Environment?: string; Ref?: string; PolicyArns?: string[] }) =>
		Object.values(template.Rules)
			.flatMap(({ Assertions }) => Assertions)
			.filter(({ Assert }) => !holds(Assert, { Environment: "", Ref: "", PolicyArns: [POLICY], ...given }))
			.map(({ AssertDescription }) => AssertDescription);

	test("take an environment or a ref", () => {
		expect([refusals({ Environment: "production" }), refusals({ Ref: "refs/heads/main" })]).toEqual([[], []]);
	});

	test.each<[object, string]>([
		[{}, "Name an Environment, or a Ref."],
		[{ Environment: "production", Ref: "refs/heads/main" }, "not both"],
		[{ Environment: "production", PolicyArns: [""] }, "at least one managed policy"],
		[{ Environment: "production", PolicyArns: ["arn:aws:iam::aws:policy/AdministratorAccess"] }, "no administrator"],
	])("refuse %p", (given, reason) => {
		expect(refusals(given)).toEqual([expect.stringContaining(reason)]);
	});
});

describe("the patterns", () => {
	const takes = (name: string, text: string) => {
		const { AllowedPattern } = template.Parameters[name] as unknown as { AllowedPattern: string };
		return new RegExp(AllowedPattern).test(text);
	};

	test.each<[string, string[]]>([
		["Repository", ["octo-org/shop", "octo-org@12/shop@34", "mona/a.b_c-d"]],
		["Environment", ["", "production", "Production EU", "eu/west-1", "x"]],
		["Ref", ["", "refs/heads/main", "refs/tags/v1.0", "refs/heads/release/2026"]],
		["PermissionsBoundaryArn", [BOUNDARY, "arn:aws-us-gov:iam::111122223333:policy/a/b"]],
		["OidcProviderArn", ["", PROVIDER]],
	])("of %s take %p", (name, texts) => {
		expect(texts.filter((text) => !takes(name, text))).toEqual([]);
	});

	test.each<[string, string[]]>([
		[
			"Repository",
			["", "octo-org", "octo-org/*", "*/*", "octo-org/sho?", "octo-org/shop:environment:x", "octo-org/shop/x", "a/b\nc/d", "octo/${x}"],
		],
		["Environment", ["*", "prod*", "a?b", "a:b", " ", "a ", "production:ref", "${x}", "a\nb"]],
		["Ref", ["main", "*", "refs/heads/*", "refs/heads/", "refs/pull/1/merge", "refs/heads/a:b", "refs/heads/a?", "heads/main"]],
		["PermissionsBoundaryArn", ["", "*", "arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::111122223333:role/x"]],
		["OidcProviderArn", ["arn:aws:iam::111122223333:oidc-provider/evil.example.com", `${PROVIDER}.evil.example.com`, "*"]],
	])("of %s refuse %p", (name, texts) => {
		expect(texts.filter((text) => takes(name, text))).toEqual([]);
	});
});
