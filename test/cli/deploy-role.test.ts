// Trust policies that let in more than one repository's jobs, in one place, and what is said of each; and ways to hide it.
import { describe, expect, test } from "bun:test";
import { AUD, HOST, PROVIDER, pin, policy, SUBJECT, saidOf, statement, without } from "./trust.ts";

describe("a trust policy is fine", () => {
	test.each([
		["that pins an environment", SUBJECT],
		["that pins a branch", "repo:octo-org/shop:ref:refs/heads/main"],
		["that pins a tag", "repo:octo-org/shop:ref:refs/tags/v1.2.0"],
		["that pins ids beside the names", "repo:octo-org@123456/shop@456789:environment:production"],
		["that pins an environment of several words", "repo:octo-org/shop:environment:production eu"],
		["that pins more than GitHub's own subject says", `${SUBJECT}:job_workflow_ref:octo-org/shop/.github/workflows/a.yml@refs/heads/main`],
	])("%s", (_, subject) => {
		expect(saidOf(policy(statement({ Condition: pin(subject) })))).toEqual([]);
		expect(saidOf(policy(statement({ Condition: pin([subject]) })))).toEqual([]);
	});

	test("whose keys are in other letters, since IAM reads them in any", () => {
		const Condition = { StringEquals: { [`${HOST.toUpperCase()}:AUD`]: "sts.amazonaws.com", [`${HOST}:SUB`]: SUBJECT } };
		expect(saidOf(policy(statement({ Condition })))).toEqual([]);
	});

	test("that asks for more, or denies some", () => {
		const Condition = { ...pin(SUBJECT), StringLike: { [`${HOST}:actor`]: "m*" }, Bool: { "aws:SecureTransport": "true" } };
		expect(saidOf(policy(statement({ Condition }), { Effect: "Deny", NotPrincipal: { AWS: "*" }, Action: "*" }))).toEqual([]);
	});

	test("of an enterprise's own issuer", () => {
		const Principal = { Federated: `${PROVIDER}/octo-corp` };
		const Condition = { StringEquals: { [`${HOST}/octo-corp:aud`]: "sts.amazonaws.com", [`${HOST}/octo-corp:sub`]: SUBJECT } };
		expect(saidOf(policy(statement({ Principal, Condition })))).toEqual([]);
		expect(saidOf(policy(statement({ Principal }))).join("\n")).toContain("nothing is asked of");
	});
});

const SUB = `Statement.0.Condition.StringEquals.${HOST}:sub`;
describe("a subject is refused", () => {
	test.each([
		["repo:octo-org/*", "wildcard"],
		["repo:octo-org/shop:*", "wildcard"],
		["repo:octo-org/shop*:environment:production", "wildcard"],
		["repo:octo-org/sho?:environment:production", "wildcard"],
		["repo:octo-org/shop:environment:prod*", "wildcard"],
		["repo:octo-org/shop:ref:refs/heads/*", "wildcard"],
		["*", "wildcard"],
		["repo:octo-org/shop:pull_request", "pull requests"],
		["repo:octo-org/shop:ref:refs/pull/7/merge", "pull requests"],
		["repo:octo-org/shop", "a repository alone"],
		["repo:octo-org/shop:", "a repository alone"],
		["repo:octo-org", "no single repository"],
		["repo:octo-org/", "no single repository"],
		["repo:octo-org/shop:environment:", "neither an environment"],
		["repo:octo-org/shop:ref:main", "neither an environment"],
		["repo:octo-org/shop:ref:refs/heads/", "neither an environment"],
		["Repo:octo-org/shop:environment:production", "does not begin with repo:"],
		["octo-org/shop:environment:production", "does not begin with repo:"],
		["repository_owner:octo-org", "does not begin with repo:"],
		["", "does not begin with repo:"],
		[`\${${HOST}:sub}`, "holds a variable"],
		["repo:octo-org/shop:environment:${aws:username}", "holds a variable"],
	])("%p", (subject, reason) => {
		expect(saidOf(policy(statement({ Condition: pin(subject) })))).toEqual([expect.stringContaining(`${SUB}: `)]);
		expect(saidOf(policy(statement({ Condition: pin(subject) })))[0]).toContain(reason);
	});

	test("as one of several, and several are refused as such", () => {
		const said = saidOf(policy(statement({ Condition: pin([SUBJECT, "repo:octo-org/*"]) })));
		expect(said).toEqual([expect.stringContaining("wildcard"), expect.stringContaining("2 subjects")]);
	});
});

type Row = [claim: string, text: string, ...parts: string[]];
const only = (operator: string, value: unknown = SUBJECT) => ({ StringEquals: AUD, [operator]: { [`${HOST}:sub`]: value } });
const ROWS: Row[] = [
	["no Condition", policy(without("Condition")), "there is no Condition"],
	["an empty Condition", policy(statement({ Condition: {} })), ":aud", ":sub"],
	["no audience", policy(statement({ Condition: { StringEquals: { [`${HOST}:sub`]: SUBJECT } } })), "nothing is asked of token.actions"],
	["another audience", policy(statement({ Condition: pin(SUBJECT, "https://github.com/octo-org") })), "is not sts.amazonaws.com"],
	["two audiences", policy(statement({ Condition: pin(SUBJECT, ["sts.amazonaws.com", "x"]) })), '"x" is not', "2 audiences"],
	["an audience of wildcards", policy(statement({ Condition: pin(SUBJECT, "*") })), "is not sts.amazonaws.com"],
	["no subject", policy(statement({ Condition: { StringEquals: AUD } })), ":sub: any job of anybody"],
	["no values", policy(statement({ Condition: pin([]) })), "compares with nothing"],
	["StringLike", policy(statement({ Condition: only("StringLike") })), "StringLike takes wildcards"],
	[
		"StringLike with a wildcard",
		policy(statement({ Condition: only("StringLike", "repo:octo-org/*") })),
		"takes wildcards",
		"holds a wildcard",
	],
	["ArnLike", policy(statement({ Condition: only("ArnLike") })), "takes wildcards"],
	["StringEqualsIgnoreCase", policy(statement({ Condition: only("StringEqualsIgnoreCase") })), "in other letters"],
	["StringEqualsIfExists", policy(statement({ Condition: only("StringEqualsIfExists") })), "no such claim"],
	["StringLikeIfExists", policy(statement({ Condition: only("StringLikeIfExists") })), "no such claim"],
	["ForAllValues", policy(statement({ Condition: only("ForAllValues:StringEquals") })), "no such claim"],
	["ForAnyValue", policy(statement({ Condition: only("ForAnyValue:StringEquals") })), "ForAnyValue"],
	["StringNotEquals", policy(statement({ Condition: only("StringNotEquals") })), "what the claim is not"],
	["Null", policy(statement({ Condition: only("Null", "false") })), "what the claim is not", "does not begin with"],
	[
		"stringequals",
		policy(statement({ Condition: { stringequals: { ...AUD, [`${HOST}:sub`]: SUBJECT } } })),
		"is no operator",
		"is no operator",
	],
	["an operator that nobody knows", policy(statement({ Condition: only("Matches") })), "does not compare whole texts"],
	[
		"a second key in other letters",
		policy(statement({ Condition: { StringEquals: { ...AUD, [`${HOST}:sub`]: SUBJECT, [`${HOST}:SUB`]: "repo:a/*" } } })),
		"wildcard",
		"2 subjects",
	],
	[
		"a key that only looks like it",
		policy(statement({ Condition: { StringEquals: { ...AUD, [`${HOST}:sub `]: SUBJECT } } })),
		":sub: any job",
	],
	[
		"a condition key of another provider",
		policy(statement({ Condition: { StringEquals: { ...AUD, "evil.example.com:sub": SUBJECT } } })),
		":sub: any job",
	],
	["a Condition that is a text", policy(statement({ Condition: "x" })), "cannot be read"],
	["an operator that is a text", policy(statement({ Condition: { StringEquals: "x" } })), "cannot be read", ":aud", ":sub"],
	["everybody", policy(statement({ Principal: "*" })), "anybody could take the role"],
	["everybody, as AWS", policy(statement({ Principal: { AWS: "*" } })), "Principal.AWS", "is not named as Federated"],
	[
		"an account beside GitHub",
		policy(statement({ Principal: { Federated: PROVIDER, AWS: "arn:aws:iam::999999999999:root" } })),
		"Principal.AWS: AWS: others",
	],
	[
		"a service beside GitHub",
		policy(statement({ Principal: { Federated: PROVIDER, Service: "ec2.amazonaws.com" } })),
		"others than GitHub's",
	],
	["federated in other letters", policy(statement({ Principal: { federated: PROVIDER } })), "others than GitHub's", "is not named"],
	[
		"another provider",
		policy(statement({ Principal: { Federated: "arn:aws:iam::111122223333:oidc-provider/evil.example.com" } })),
		"is not GitHub's provider",
	],
	[
		"one that begins like GitHub's",
		policy(statement({ Principal: { Federated: `${PROVIDER}.evil.example.com` } })),
		"is not GitHub's provider",
	],
	[
		"one that has GitHub's as a path",
		policy(statement({ Principal: { Federated: `arn:aws:iam::111122223333:oidc-provider/evil.example.com/${HOST}` } })),
		"is not GitHub's",
	],
	[
		"two providers",
		policy(statement({ Principal: { Federated: [PROVIDER, "cognito-identity.amazonaws.com"] } })),
		"more than one provider",
		"is not GitHub's",
	],
	["no Principal", policy(without("Principal")), "there is no Principal"],
	[
		"NotPrincipal",
		policy({ ...without("Principal"), NotPrincipal: { AWS: "arn:aws:iam::1:root" } }),
		"everybody but those it names",
		"there is no Principal",
	],
	["NotAction", policy({ ...without("Action"), NotAction: "sts:TagSession" }), "every action but those", "there is no Action"],
	["any action of sts", policy(statement({ Action: "sts:*" })), '"sts:*" is more than'],
	["any action", policy(statement({ Action: "*" })), '"*" is more than'],
	["an action beside", policy(statement({ Action: ["sts:AssumeRoleWithWebIdentity", "sts:AssumeRole"] })), '"sts:AssumeRole" is more'],
	[
		"condition in small letters",
		policy({ ...without("Condition"), condition: pin(SUBJECT) }),
		"condition is no element",
		"there is no Condition",
	],
	["effect in small letters", policy({ ...without("Effect"), effect: "Allow" }), "effect is no element", "neither Allow nor Deny"],
	["deny in small letters", policy(statement({ Effect: "deny", Condition: {} })), "neither Allow nor Deny", ":aud", ":sub"],
	["a second statement that asks nothing", policy(statement(), without("Condition")), "Statement.1: there is no Condition"],
	["a second subject", policy(statement(), statement({ Condition: pin("repo:octo-org/blog:environment:production") })), "several subjects"],
	["no Statement", '{"Version":"2012-10-17","Statement":[]}', "there is no Statement"],
	["a Statement that is a text", '{"Statement":"x"}', "cannot be read"],
	["a key that stands twice", policy(statement()).replace('"Condition":', '"Condition":{},"Condition":'), "unique"],
	["no JSON", '{"Statement": [', ""],
];
describe("what hides more than one repository's jobs is told:", () => {
	for (const [claim, text, ...parts] of ROWS)
		test(claim, () => {
			const said = saidOf(text);
			expect(said).toHaveLength(parts.length);
			for (const part of parts) expect(said.join("\n")).toContain(part);
		});
});
