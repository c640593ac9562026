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

const MAX_BODY_BYTES = 64 * 1024;
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

interface Vault {
	options: SecretsOptions;
	secrets: Map<string, string>;
	reads: Record<string, number>;
}

/** What the request is refused for before anything is looked up. */
function checkCall({ method, url, headers }: Request, body: Uint8Array, { keys, region, now = Date.now }: SecretsOptions): Response | null {
	const verdict = verifySignature({ method, url, headers, body }, { keys, region, service: "secretsmanager", now: now() });
	if (!verdict.valid) return refuse(AUTH_CODES[verdict.problem], verdict.reason);
	if (method !== "POST" || headers.get("x-amz-target") !== TARGET)
		return refuse("UnknownOperationException", `only ${TARGET} is known here`);
	if (!headers.get("content-type")?.startsWith("application/x-amz-json-1.1")) return refuse("SerializationException", "not AWS JSON 1.1");
	return null;
}

function readSecret({ options, secrets, reads }: Vault, body: string): Response {
	const id = secretIdOf(body);
	if (id === null) return refuse("ValidationException", "SecretId must name a secret, and only its current version is kept");
	const text = secrets.get(id);
	if (text === undefined) return refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
	reads[id] = (reads[id] ?? 0) + 1;
	const arn = id.startsWith("arn:") ? id : `arn:aws:secretsmanager:${options.region}:000000000000:secret:${id}`;
	const version = { VersionId: "00000000-0000-0000-0000-000000000001", VersionStages: ["AWSCURRENT"], CreatedDate: 1_700_000_000 };
	return json({ ARN: arn, Name: id, SecretString: text, ...version }, 200);
}

/** Starts the stand-in. Only the current version of a secret can be asked for. */
export async function startSecrets(options: SecretsOptions): Promise<Secrets> {
	const vault: Vault = { options, secrets: new Map(Object.entries(options.secrets)), reads: {} };
	const server = Bun.serve({
		hostname: "127.0.0.1",
		port: 0,
		maxRequestBodySize: MAX_BODY_BYTES,
		async fetch(request) {
			const body = new Uint8Array(await request.arrayBuffer());
			return checkCall(request, body, options) ?? readSecret(vault, new TextDecoder().decode(body));
		},
	});
	return {
		url: server.url.origin,
		reads: () => ({ ...vault.reads }),
		put: (id, text) => void vault.secrets.set(id, text),
		stop: () => server.stop(true),
	};
}
