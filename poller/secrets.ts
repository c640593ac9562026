// The poller's secret, from Secrets Manager (AWS JSON 1.1: GetSecretValue). Touches the network.
import * as v from "valibot";
import { type AwsAccess, AwsError, sendSigned } from "../aws/request.ts";
import { parserOf } from "../contract/parse.ts";

const Text = v.pipe(v.string(), v.minLength(1));
const PollerSecret = v.object({ appPrivateKey: Text, pollerToken: Text, reportKey: Text });
export type PollerSecret = v.InferOutput<typeof PollerSecret>;
const parseSecret = parserOf(PollerSecret);

function secretText(answer: string): unknown {
	try {
		const { SecretString } = JSON.parse(answer) as { SecretString?: unknown };
		return JSON.parse(String(SecretString));
	} catch {
		return null;
	}
}

/** Reads `{appPrivateKey, pollerToken, reportKey}`. Throws an AwsError that never holds any of it. */
export async function readSecret(access: AwsAccess, url: string, secretId: string): Promise<PollerSecret> {
	const answer = await sendSigned(access, "secretsmanager", {
		method: "POST",
		url: `${url}/`,
		headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "secretsmanager.GetSecretValue" },
		body: JSON.stringify({ SecretId: secretId }),
	});
	const text = await answer.text();
	if (answer.status !== 200) throw new AwsError(`GetSecretValue ${secretId}`, answer.status, text);
	const secret = parseSecret(secretText(text));
	if (!secret.ok) throw new AwsError(`GetSecretValue ${secretId}`, 200, `the secret is not as it should be: ${secret.reason}`);
	return secret.value;
}
