// A deploy machine: what a job's OIDC token must say, who must have signed it, and what does not get around it.

import { describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import type { Grant } from "../../contract/rule.ts";
import { REPOSITORY } from "./documents.ts";
import { AUDIENCE, type Forgery, ISSUER, KEYS, PUBLIC_PEM, startIssuer, tokenOf } from "./issuer.ts";
import { runMachine } from "./machine.ts";

const GRANT: Grant = {
	...{ tier: "deploy", jobId: 42, runId: 7, repository: REPOSITORY, repositoryId: 1296269, notAfter: Date.now() + 600_000 },
	rule: {
		...{ events: ["push", "workflow_dispatch"], refs: ["refs/heads/main"], environments: ["production"] },
		...{ workflows: [".github/workflows/deploy.yml"], forks: false },
	},
	oidc: { issuer: ISSUER, audience: AUDIENCE, keys: KEYS },
};
/** All that the runner says is well: only the token counts. */
const JOB = {
	...{ GITHUB_REPOSITORY: REPOSITORY, GITHUB_EVENT_NAME: "push", GITHUB_REF: "refs/heads/main", GITHUB_ACTOR: "monalisa" },
	...{
		GITHUB_WORKFLOW_REF: `${REPOSITORY}/.github/workflows/deploy.yml@refs/heads/main`,
		GITHUB_EVENT_PATH: `${import.meta.dir}/push.json`,
	},
};

type Answer = (audience: string) => Response;
const withToken =
	(forgery: Forgery = {}): Answer =>
	() =>
		Response.json({ count: 1, value: tokenOf(forgery) });

async function deploy(answer: Answer = withToken(), { grant = {}, job = {}, runner = "success" } = {}) {
	const issuer = startIssuer(answer);
	try {
		const document = { grant: { ...GRANT, ...grant } };
		return { ...(await runMachine({ runner, job: { ...issuer.variables, ...JOB, ...job }, document })), audiences: issuer.asked };
	} finally {
		await issuer.stop();
	}
}

async function expectRefused(answer: Answer, rule: string, words: string, more = {}): Promise<void> {
	const end = await deploy(answer, more);
	expect(end).toMatchObject({ code: 0, offs: 1, firstStep: false });
	expect(end.phases.filter((phase) => phase === "denied")).toHaveLength(1);
	expect(end.hookLog).toContain(`by the rule "${rule}"`);
	expect(end.hookLog).toContain(words);
	expect(end.hookLog).toContain("What to do:");
}

describe("a deploy machine", () => {
	test("admits a job whose token says what the rule asks for, and asks for one that is for this machine alone", async () => {
		const end = await deploy();
		expect(end).toMatchObject({ firstStep: true, offs: 1, audiences: [AUDIENCE] });
		expect(end.phases).not.toContain("denied");
	});

	test("shows the token to nobody: it is not in the job's log", async () => {
		const token = tokenOf();
		const end = await deploy(() => Response.json({ value: token }));
		expect(`${end.hookLog}${end.out}${end.err}`).not.toContain(token.split(".")[2] ?? "");
	});

	test("refuses a job without the permission for a token, and says how to give it", async () => {
		const without = { ACTIONS_ID_TOKEN_REQUEST_URL: "", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "" };
		await expectRefused(withToken(), "oidc", "id-token: write", { job: without });
	});

	test("refuses when the issuer gives none", async () => {
		await expectRefused(() => new Response("no", { status: 500 }), "oidc", "brought no OIDC token");
		await expectRefused(() => new Response("<html>"), "oidc", "brought no OIDC token");
	});

	const now = () => Math.floor(Date.now() / 1000);
	const FORGERIES: [what: string, forgery: Forgery, words: string][] = [
		["another machine's", { claims: { aud: "mayfly:stack:i-0fffffffffffffff0" } }, "not for this machine"],
		["the stack's at large", { claims: { aud: "mayfly:stack" } }, "not for this machine"],
		["several parties'", { claims: { aud: [AUDIENCE, "sts.amazonaws.com"] } }, "lacks aud"],
		["another issuer's", { claims: { iss: "https://evil.example" } }, "issuer https://evil.example"],
		["an expired one", { claims: { exp: now() - 120 } }, "expired"],
		["one from before this machine", { claims: { iat: now() - 600, exp: now() + 300 } }, "older than this machine's job"],
		["one from the future", { claims: { iat: now() + 600, exp: now() + 900 } }, "not valid yet"],
		["one that is not valid yet", { claims: { nbf: now() + 600 } }, "not valid yet"],
		["one without an end", { claims: { exp: undefined } }, "lacks exp"],
		["one that another key signed", { stolen: true }, "signature"],
		["one whose key nobody knows", { header: { kid: "key-2" } }, "not the issuer's"],
		["one that names a key for something else", { header: { kid: "elliptic" } }, "not the issuer's"],
		["an unsigned one", { header: { alg: "none" }, spoil: (token) => token.replace(/[^.]*$/, "") }, "not one"],
		["one that says it needs no signature", { header: { alg: "none" } }, "not signed with RS256"],
		["one with changed claims", { spoil: (token) => spoiled(token) }, "signature"],
		["one signed with the public key as a secret", { header: { alg: "HS256" }, spoil: hmacked }, "not signed with RS256"],
		["a text", { spoil: () => "hello" }, "not one"],
	];
	test.each(FORGERIES)("refuses %s", async (_, forgery, words) => {
		await expectRefused(withToken(forgery), "oidc", words);
	});

	const CLAIMS: [what: string, rule: string, claims: Record<string, unknown>][] = [
		["another ref, whatever the runner says", "refs", { ref: "refs/heads/feature" }],
		["a dispatch on another ref", "refs", { event_name: "workflow_dispatch", ref: "refs/heads/feature" }],
		["no environment", "environments", { environment: undefined }],
		["another environment", "environments", { environment: "staging" }],
		["another workflow", "workflows", { workflow_ref: `${REPOSITORY}/.github/workflows/ci.yml@refs/heads/main` }],
		[
			"a workflow whose file is named as the listed one and more",
			"workflows",
			{ workflow_ref: `${REPOSITORY}/.github/workflows/deploy.yml@evil.yml@refs/heads/main` },
		],
		[
			"a reusable workflow that is not listed",
			"workflows",
			{ job_workflow_ref: "evil/shared/.github/workflows/deploy.yml@refs/heads/main" },
		],
		["a pull request", "events", { event_name: "pull_request", ref: "refs/pull/1/merge" }],
		["a pull request of a fork", "events", { event_name: "pull_request_target" }],
		["another repository", "repository", { repository: "octo-org/other" }],
		["another repository of the same name", "repository", { repository_id: "1" }],
	];
	test.each(CLAIMS)("refuses %s", async (_, rule, claims) => {
		await expectRefused(withToken({ claims }), rule, "Refused before the first step");
	});

	test("refuses a pull request even if the rule lists it", async () => {
		const claims = { event_name: "pull_request", ref: "refs/heads/main" };
		await expectRefused(withToken({ claims }), "events", "never serves", {
			grant: { rule: { ...GRANT.rule, events: ["**"], forks: true } },
		});
	});

	test("admits a reusable workflow of another repository that is listed by its full name", async () => {
		const workflows = [".github/workflows/deploy.yml", "octo-org/shared/.github/workflows/ship.yml"];
		const claims = { job_workflow_ref: "octo-org/shared/.github/workflows/ship.yml@refs/tags/v1" };
		expect(await deploy(withToken({ claims }), { grant: { rule: { ...GRANT.rule, workflows } } })).toMatchObject({ firstStep: true });
	});

	test("refuses a rerun by somebody whom the rule does not name, who is not in the token", async () => {
		const grant = { rule: { ...GRANT.rule, actors: ["monalisa"] } };
		await expectRefused(withToken(), "actors", "mallory", { grant, job: { GITHUB_TRIGGERING_ACTOR: "mallory" } });
		await expectRefused(withToken(), "actors", "unknown", { grant });
		expect(await deploy(withToken(), { grant, job: { GITHUB_TRIGGERING_ACTOR: "monalisa" } })).toMatchObject({ firstStep: true });
	});

	test("refuses by the runner's word as well: a job of another repository is not asked for more", async () => {
		await expectRefused(withToken(), "repository", "octo-org/other", { job: { GITHUB_REPOSITORY: "octo-org/other" } });
	});

	test("refuses when its document names a key twice", async () => {
		const keys = [...KEYS, ...KEYS];
		await expectRefused(withToken(), "oidc", "not the issuer's", { grant: { oidc: { issuer: ISSUER, audience: AUDIENCE, keys } } });
	});
});

function spoiled(token: string): string {
	const [header, payload = "", signature] = token.split(".");
	const claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as Record<string, unknown>;
	return [header, Buffer.from(JSON.stringify({ ...claims, actor: "admin" })).toString("base64url"), signature].join(".");
}

/** The oldest trick: a verifier that goes by the header takes the public key for a shared secret. */
function hmacked(token: string): string {
	const text = token.split(".").slice(0, 2).join(".");
	return `${text}.${createHmac("sha256", PUBLIC_PEM).update(text).digest("base64url")}`;
}
