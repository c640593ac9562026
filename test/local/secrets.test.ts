// The Secrets Manager stand-in, asked with signed requests as the poller asks.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { AwsClient } from "aws4fetch";
import { type Secrets, startSecrets } from "../../local/secrets.ts";
import { KEYS, REGION } from "../fakes/aws-account.ts";

const SESSION = { ...KEYS, sessionToken: "session" };
let secrets: Secrets;
beforeAll(async () => {
	secrets = await startSecrets({ keys: SESSION, region: REGION, secrets: { "mayfly/poller": '{"a":1}' } });
});
afterAll(() => secrets.stop());

function ask(body: object | string, over: { keys?: object; service?: string; headers?: Record<string, string> } = {}): Promise<Response> {
	const client = new AwsClient({ ...SESSION, region: REGION, service: over.service ?? "secretsmanager", retries: 0, ...over.keys });
	const headers = {
		"content-type": "application/x-amz-json-1.1",
		"x-amz-target": "secretsmanager.GetSecretValue",
		...over.headers,
	};
	return client.fetch(secrets.url, { method: "POST", headers, body: typeof body === "string" ? body : JSON.stringify(body) });
}
const typeOf = async (answer: Promise<Response>) => {
	const { status, headers } = await answer;
	return `${status} ${headers.get("x-amzn-errortype")}`;
};

test("a secret is given to whoever signs with the keys and their session token", async () => {
	const answer = await ask({ SecretId: "mayfly/poller" });
	expect(await answer.json()).toMatchObject({ Name: "mayfly/poller", SecretString: '{"a":1}', VersionStages: ["AWSCURRENT"] });
	secrets.put("mayfly/poller", "new");
	expect(await (await ask({ SecretId: "mayfly/poller" })).json()).toMatchObject({ SecretString: "new" });
	expect(secrets.reads()).toEqual({ "mayfly/poller": 2 });
});

test("whoever signs otherwise gets none", async () => {
	const secret = { SecretId: "mayfly/poller" };
	expect(await typeOf(fetch(secrets.url, { method: "POST", body: "{}" }))).toBe("400 MissingAuthenticationTokenException");
	expect(await typeOf(ask(secret, { keys: { sessionToken: undefined } }))).toBe("400 UnrecognizedClientException");
	expect(await typeOf(ask(secret, { keys: { accessKeyId: "other" } }))).toBe("400 UnrecognizedClientException");
	expect(await typeOf(ask(secret, { keys: { secretAccessKey: "other" } }))).toBe("400 InvalidSignatureException");
	expect(await typeOf(ask(secret, { service: "ec2" }))).toBe("400 InvalidSignatureException");
});

test("what is no call, or names no secret, is refused", async () => {
	const secret = { SecretId: "mayfly/poller" };
	expect(await typeOf(ask({ SecretId: "none" }))).toBe("400 ResourceNotFoundException");
	expect(await typeOf(ask({}))).toBe("400 ValidationException");
	expect(await typeOf(ask("null"))).toBe("400 ValidationException");
	expect(await typeOf(ask("{"))).toBe("400 ValidationException");
	expect(await typeOf(ask({ ...secret, VersionStage: "AWSPREVIOUS" }))).toBe("400 ValidationException");
	expect(await typeOf(ask(secret, { headers: { "x-amz-target": "secretsmanager.PutSecretValue" } }))).toBe("400 UnknownOperationException");
	expect(await typeOf(ask(secret, { headers: { "content-type": "application/json" } }))).toBe("400 SerializationException");
});
