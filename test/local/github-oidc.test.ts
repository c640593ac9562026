// The OIDC issuer: discovery, keys, and what a job's token says.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createPublicKey } from "node:crypto";
import { readJwt } from "../../local/github/jwt.ts";
import { connectRunner, installationToken, job, registerRunner, startChecked, type TestGitHub, workflow } from "./github-client.ts";

let github: TestGitHub;
let token: string;
beforeAll(async () => {
	github = await startChecked();
	token = await installationToken(github);
});
afterAll(() => github.stop());

async function claimsOf(value: string) {
	const discovery = (await (await fetch(`${github.url}/.well-known/openid-configuration`)).json()) as { issuer: string; jwks_uri: string };
	const { keys } = (await (await fetch(discovery.jwks_uri)).json()) as { keys: JsonWebKey[] };
	return readJwt(value, createPublicKey({ key: keys[0] ?? {}, format: "jwk" }));
}

test("a running job with id-token: write gets a token for its audience with GitHub's claims; nobody else does", async () => {
	const run = github.createRun({
		workflow: workflow(job("deploy", { idToken: true, environment: "staging" })),
		...{ repository: "octo-org/octo-repo", actor: "mona", event: "release", ref: "refs/tags/v1" },
	});
	const runner = await connectRunner((await registerRunner(github, token, "r")).body.encoded_jit_config);
	const { idToken, jobId } = await runner.take();
	const ask = (bearer: string, audience = "") => fetch(`${idToken?.url}${audience}`, { headers: { authorization: `Bearer ${bearer}` } });
	expect((await ask("wrong")).status).toBe(401);
	const { value } = (await (await ask(idToken?.token ?? "", "&audience=mayfly")).json()) as { value: string };
	expect(await claimsOf(value)).toMatchObject({
		...{ iss: github.url, aud: "mayfly", sub: "repo:octo-org/octo-repo:environment:staging", environment: "staging" },
		...{ repository: "octo-org/octo-repo", repository_id: String(run.repository.id), ref: "refs/tags/v1", event_name: "release" },
		...{ actor: "mona", run_id: String(run.id), runner_environment: "self-hosted" },
		job_workflow_ref: "octo-org/octo-repo/.github/workflows/ci.yml@refs/tags/v1",
	});
	const byDefault = (await (await ask(idToken?.token ?? "")).json()) as { value: string };
	expect((await claimsOf(byDefault.value))?.aud).toBe("https://github.com/octo-org");
	await runner.complete(jobId);
	expect((await ask(idToken?.token ?? "")).status).toBe(401);
});
