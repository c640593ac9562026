// The Secrets Manager stand-in: GetSecretValue over AWS JSON 1.1, signature checked (AWS Secrets Manager API Reference).
import { type AwsKeys, type Problem, verifySignature } from "./sigv4.ts";

export interface SecretsOptions {
	keys: AwsKeys;
	region: string;
	/** Name or ARN -> its text. */
	secrets: Record<string, string>;
	now?: () => number;
}

export interface Secrets {
	url: string;
	/** How often each secret was read. */
	reads(): Record<string, number>;
	put(id: string, text: string): void;
	stop(): Promise<void>;
}

const TARGET = "secretsmanager.GetSecretValue";
const AUTH_CODES: Record<Problem, string> = {
	unsigned: "MissingAuthenticationTokenException",
	malformed: "IncompleteSignatureException",
	"unknown-key": "UnrecognizedClientException",
	scope: "InvalidSignatureException",
	expired: "InvalidSignatureException",
	payload: "InvalidSignatureException",
	signature: "InvalidSignatureException",
};

const json = (body: object, status: number, headers: Record<string, string> = {}) =>
	new Response(JSON.stringify(body), { status, headers: { "content-type": "application/x-amz-json-1.1", ...headers } });

const refuse = (type: string, message: string) => json({ __type: type, Message: message }, 400, { "x-amzn-errortype": type });

function secretIdOf(body: string): string | null {
	try {
		const { SecretId, VersionStage = "AWSCURRENT" } = JSON.parse(body) as Record<string, unknown>;
		return typeof SecretId === "string" && VersionStage === "AWSCURRENT" ? SecretId : null;
	} catch {
		return null;
	}
}

/** Starts the stand-in. Only the current version of a secret can be asked for. */
export async function startSecrets(options: SecretsOptions): Promise<Secrets> {
	const { keys, region, now = Date.now } = options;
	const secrets = new Map(Object.entries(options.secrets));
	const reads: Record<string, number> = {};

	async function answer(request: Request): Promise<Response> {
		const body = new Uint8Array(await request.arrayBuffer());
		const signed = { method: request.method, url: request.url, headers: request.headers, body };
		const verdict = verifySignature(signed, { keys, region, service: "secretsmanager", now: now() });
		if (!verdict.valid) return refuse(AUTH_CODES[verdict.problem], verdict.reason);
		if (request.method !== "POST" || request.headers.get("x-amz-target") !== TARGET)
			return refuse("UnknownOperationException", `only ${TARGET} is known here`);
		if (!request.headers.get("content-type")?.startsWith("application/x-amz-json-1.1"))
			return refuse("SerializationException", "not AWS JSON 1.1");
		const id = secretIdOf(new TextDecoder().decode(body));
		if (id === null) return refuse("ValidationException", "SecretId must name a secret, and only its current version is kept");
		const text = secrets.get(id);
		if (text === undefined) return refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
		reads[id] = (reads[id] ?? 0) + 1;
		const arn = id.startsWith("arn:") ? id : `arn:aws:secretsmanager:${region}:000000000000:secret:${id}`;
		return json(
			{
				ARN: arn,
				Name: id,
				SecretString: text,
				VersionId: "00000000-0000-0000-0000-000000000001",
				VersionStages: ["AWSCURRENT"],
				CreatedDate: now() / 1000,
			},
			200,
		);
	}

	const server = Bun.serve({ hostname: "127.0.0.1", port: 0, maxRequestBodySize: 64 * 1024, fetch: answer });
	return {
		url: server.url.origin,
		reads: () => ({ ...reads }),
		put: (id, text) => void secrets.set(id, text),
		stop: () => server.stop(true),
	};
}
