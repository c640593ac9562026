// The mailbox stand-in: one S3 bucket in memory. From outside it asks for AWS Signature V4; through a machine's own listener, which
// stands for the VPC endpoint, it applies the bucket policy to that machine's address (DESIGN 6). A missing key answers 403, since
// nobody may list the bucket.
import { createHash } from "node:crypto";
import { document } from "./ec2/xml.ts";
import { type AwsKeys, type Problem, verifySignature } from "./sigv4.ts";

export interface Endpoint {
	url: string;
	stop(): Promise<void>;
}

export interface MailboxOptions {
	keys: AwsKeys;
	region: string;
	/** Largest object that is taken; 8 MiB unless told. */
	maxObjectBytes?: number;
	/** How long every request from outside takes; ms. */
	latencyMs?: number;
	/** Told of every request once it is answered. */
	onRequest?: (request: MailboxRequest) => void;
	now?: () => number;
}

export interface Mailbox extends Endpoint {
	/** The listener of one machine: what comes through it comes from that address. `onRequest` is told of each request once it is answered. */
	endpointFor(privateIp: string, onRequest?: (request: MailboxRequest) => void): Endpoint;
	keys(): string[];
	read(key: string): Promise<string | null>;
	/** Leaves an object there from inside; a `Bun.file` stays on disk. */
	put(key: string, body: string | Blob): void;
	/** Every request, oldest first: who came (null is from outside), what for, and the answer. */
	requests(): MailboxRequest[];
}

export interface MailboxRequest {
	from: string | null;
	method: string;
	key: string;
	status: number;
}

interface Refusal {
	code: string;
	status: number;
	message: string;
}

const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;
/** A body a little over the cap is read and refused in S3's own words. */
const BODY_SLACK_BYTES = 64 * 1024;
const DENIED: Refusal = { code: "AccessDenied", status: 403, message: "Access Denied" };
const SIGNATURE_CODES: Record<Problem, [code: string, status: number]> = {
	unsigned: ["AccessDenied", 403],
	malformed: ["AccessDenied", 403],
	"unknown-key": ["InvalidAccessKeyId", 403],
	scope: ["AccessDenied", 403],
	expired: ["RequestTimeTooSkewed", 403],
	payload: ["XAmzContentSHA256Mismatch", 400],
	signature: ["SignatureDoesNotMatch", 403],
};

/** The key that a request names: its path, decoded once. A key is a plain text: dots and slashes in it mean nothing. Null if it names none. */
function keyOf(url: URL): string | null {
	try {
		return decodeURIComponent(url.pathname.slice(1)) || null;
	} catch {
		return null;
	}
}

/** The bucket policy for anonymous requests from an address, as the stack's template writes it. Pure. */
export function policyAllows(method: string, key: string, privateIp: string): boolean {
	const own = (folder: string) => key.startsWith(`${folder}/${privateIp}/`) && key.length > `${folder}/${privateIp}/`.length;
	if (method === "GET" || method === "HEAD") return own("boot") || (key.startsWith("dist/") && key.length > "dist/".length);
	if (method === "DELETE") return own("boot");
	return method === "PUT" && own("records");
}

function checkOutside(request: Request, body: Uint8Array, options: MailboxOptions): Refusal | null {
	const { keys, region, now = Date.now } = options;
	const verdict = verifySignature(
		{ method: request.method, url: request.url, headers: request.headers, body },
		{ keys, region, service: "s3", now: now() },
	);
	if (verdict.valid) return null;
	const [code, status] = SIGNATURE_CODES[verdict.problem];
	return { code, status, message: verdict.reason };
}

/** No machine holds AWS credentials, and S3 refuses ones that it does not know before it looks at any policy. */
function checkMachine(request: Request, key: string, privateIp: string): Refusal | null {
	if (request.headers.has("authorization")) return { code: "InvalidAccessKeyId", status: 403, message: "The access key id does not exist" };
	return policyAllows(request.method, key, privateIp) ? null : DENIED;
}

function refuse({ code, status, message }: Refusal): Response {
	const body = document("Error", { Code: code, Message: message, RequestId: crypto.randomUUID() });
	return new Response(body, { status, headers: { "content-type": "application/xml" } });
}

/** What S3 knows and this one does not: said, never passed over. `x-id` is how the SDK names its calls and means nothing. */
function unsupported(request: Request, url: URL): Refusal | null {
	const strange =
		[...url.searchParams.keys()].find((name) => name !== "x-id") ??
		["if-match", "range", "x-amz-copy-source"].find((name) => request.headers.has(name));
	if (strange === undefined && ["GET", "HEAD", "PUT", "DELETE"].includes(request.method)) return null;
	return { code: "NotImplemented", status: 501, message: `${strange ?? request.method} is not implemented here` };
}

interface Bucket extends MailboxOptions {
	maxObjectBytes: number;
	objects: Map<string, Blob>;
	requests: MailboxRequest[];
}

function read({ objects }: Bucket, key: string): Response | Refusal {
	const found = objects.get(key);
	return found ? new Response(found, { headers: { "content-type": "binary/octet-stream" } }) : DENIED;
}

function write({ objects, maxObjectBytes }: Bucket, key: string, body: Uint8Array<ArrayBuffer>, onlyNew: boolean): Response | Refusal {
	if (body.byteLength > maxObjectBytes)
		return { code: "EntityTooLarge", status: 400, message: "Your proposed upload exceeds the maximum allowed size" };
	if (onlyNew && objects.has(key)) return { code: "PreconditionFailed", status: 412, message: "The object exists" };
	objects.set(key, new Blob([body]));
	return new Response(null, { status: 200, headers: { etag: `"${createHash("md5").update(body).digest("hex")}"` } });
}

function apply(bucket: Bucket, request: Request, key: string, body: Uint8Array<ArrayBuffer>): Response | Refusal {
	if (request.method === "PUT") return write(bucket, key, body, request.headers.get("if-none-match") === "*");
	if (request.method !== "DELETE") return read(bucket, key);
	bucket.objects.delete(key);
	return new Response(null, { status: 204 });
}

async function answer(bucket: Bucket, request: Request, from: string | null): Promise<{ response: Response; seen: MailboxRequest }> {
	const url = new URL(request.url);
	const key = keyOf(url);
	const body = new Uint8Array(await request.arrayBuffer());
	const check = () => (from === null ? checkOutside(request, body, bucket) : checkMachine(request, key ?? "", from));
	const refusal = key === null ? DENIED : (check() ?? unsupported(request, url));
	if (from === null && bucket.latencyMs) await Bun.sleep(bucket.latencyMs);
	const result = refusal ?? apply(bucket, request, key ?? "", body);
	const response = result instanceof Response ? result : refuse(result);
	const seen = { from, method: request.method, key: key ?? "", status: response.status };
	bucket.requests.push(seen);
	bucket.onRequest?.(seen);
	return { response, seen };
}

function listen(bucket: Bucket, from: string | null, onRequest?: (request: MailboxRequest) => void): Endpoint {
	const server = Bun.serve({
		hostname: "127.0.0.1",
		port: 0,
		maxRequestBodySize: bucket.maxObjectBytes + BODY_SLACK_BYTES,
		async fetch(request) {
			const { response, seen } = await answer(bucket, request, from);
			onRequest?.(seen);
			return response;
		},
	});
	return { url: server.url.origin, stop: () => server.stop(true) };
}

/** Starts the bucket. Its URL is the bucket's own, with keys as paths. */
export async function startMailbox(options: MailboxOptions): Promise<Mailbox> {
	const bucket: Bucket = { maxObjectBytes: DEFAULT_MAX_BYTES, ...options, objects: new Map(), requests: [] };
	return {
		...listen(bucket, null),
		endpointFor: (privateIp, onRequest) => listen(bucket, privateIp, onRequest),
		keys: () => [...bucket.objects.keys()].toSorted(),
		read: async (key) => (await bucket.objects.get(key)?.text()) ?? null,
		put: (key, body) => void bucket.objects.set(key, typeof body === "string" ? new Blob([body]) : body),
		requests: () => [...bucket.requests],
	};
}
