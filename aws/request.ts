// Sends one request to AWS, signed with Signature V4 (S3, Secrets Manager, CloudWatch Logs; EC2 has its own client). Touches the network.
import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Checksum, SourceData } from "@smithy/types";

export interface AwsCredentials {
	accessKeyId: string;
	secretAccessKey: string;
	sessionToken?: string;
}

export interface AwsAccess {
	region: string;
	credentials: AwsCredentials;
	fetch: typeof fetch;
}

/** A request that AWS did not answer as it should: operation, target, status. `cause` is the network's own error. */
export class AwsError extends Error {
	constructor(
		operation: string,
		readonly status: number | null,
		said: string,
		cause?: unknown,
	) {
		super(`${operation}: ${status ?? "no answer"} ${said.slice(0, 300)}`.trim(), { cause });
		this.name = "AwsError";
	}
	get retryable(): boolean {
		return this.status === null || this.status >= 500 || this.status === 429;
	}
}

/** The signer wants a class; Node's own digests take a tenth of the time of one in JavaScript (FACTS 8). */
class Sha256 implements Checksum {
	private readonly digester: Hash | Hmac;
	constructor(secret?: SourceData) {
		this.digester = secret === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(secret));
	}
	update(data: Uint8Array): void {
		this.digester.update(bytesOf(data));
	}
	async digest(): Promise<Uint8Array> {
		return this.digester.digest();
	}
	reset(): void {}
}

function bytesOf(data: SourceData): string | Uint8Array {
	return typeof data === "string"
		? data
		: ArrayBuffer.isView(data)
			? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
			: new Uint8Array(data);
}

const TIMEOUT_MS = 15_000;

/** Signs and sends. Any answer is returned, whatever its status; throws an AwsError when there is none. */
export async function sendSigned(
	access: AwsAccess,
	service: "s3" | "secretsmanager" | "logs",
	request: { method: string; url: string; headers?: Record<string, string>; body?: string },
): Promise<Response> {
	const url = new URL(request.url);
	const body = request.body ?? "";
	const signer = new SignatureV4({
		...{ service, region: access.region, credentials: access.credentials, sha256: Sha256 },
		// S3 alone signs a path as it is sent (AWS: Signature V4, canonical URI).
		uriEscapePath: service !== "s3",
	});
	const payload = createHash("sha256").update(body).digest("hex");
	const signed = await signer.sign({
		...{ method: request.method, protocol: url.protocol, hostname: url.hostname, path: url.pathname, body },
		...(url.port !== "" && { port: Number(url.port) }),
		headers: { host: url.host, "x-amz-content-sha256": payload, ...request.headers },
	});
	const { host: _, ...headers } = signed.headers;
	const sent = { method: request.method, headers, ...(request.body !== undefined && { body }), signal: AbortSignal.timeout(TIMEOUT_MS) };
	return access.fetch(url, sent).catch((error: unknown) => {
		throw new AwsError(`${request.method} ${url.origin}${url.pathname}`, null, String(error), error);
	});
}
