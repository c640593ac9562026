// Checks AWS Signature Version 4 on incoming requests, as EC2, S3 and Secrets Manager do. Pure: a request and the time in, a verdict out.
// Written from AWS's specification ("Create a signed AWS API request") so that it shares nothing with the signers it checks.
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

export interface AwsKeys {
	accessKeyId: string;
	secretAccessKey: string;
	sessionToken?: string;
}

export interface SignedRequest {
	method: string;
	/** As it came: neither decoded nor put in order. */
	url: string;
	headers: Headers;
	body: Uint8Array;
}

export interface Scope {
	keys: AwsKeys;
	region: string;
	service: string;
	/** Epoch milliseconds. */
	now: number;
}

export type Problem = "unsigned" | "malformed" | "unknown-key" | "scope" | "expired" | "payload" | "signature";
export type Verdict = { valid: true } | { valid: false; problem: Problem; reason: string };

/** EC2 and S3 take 15 minutes of skew, others 5: the stricter one finds more. */
const MAX_SKEW_MS = 5 * 60_000;
const HEADER = /^AWS4-HMAC-SHA256 +Credential=([^,\s]+) *, *SignedHeaders=([^,\s]+) *, *Signature=([0-9a-f]{64})$/;

interface Authorization {
	accessKeyId: string;
	date: string;
	region: string;
	service: string;
	signedHeaders: string[];
	signature: string;
}

const sha256 = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
const refusal = (problem: Problem, reason: string): Verdict => ({ valid: false, problem, reason });

function parseAuthorization(header: string): Authorization | null {
	const match = HEADER.exec(header);
	const [accessKeyId, date, region, service, end, ...rest] = (match?.[1] ?? "").split("/");
	if (!match || !accessKeyId || !date || !region || !service || end !== "aws4_request" || rest.length > 0) return null;
	return { accessKeyId, date, region, service, signedHeaders: (match[2] ?? "").split(";"), signature: match[3] ?? "" };
}

function parseDate(text: string | null): number | null {
	const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? "");
	if (!match) return null;
	const [, year, month, day, hour, minute, second] = match.map(Number) as [number, number, number, number, number, number, number];
	return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** RFC 3986: only unreserved characters stand for themselves. */
function encode(text: string): string {
	return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

function decode(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

/** S3 encodes each part of the path once, every other service twice. */
function canonicalPath(path: string, service: string): string {
	const once = path.split("/").map((part) => encode(decode(part)));
	return (service === "s3" ? once : once.map(encode)).join("/");
}

/** In the order of the encoded names, then of the values: `x=2` comes before `x1=1`, which it would not as a whole. */
function canonicalQuery(query: string): string {
	const pairs = query.split("&").filter((pair) => pair !== "");
	const encoded = pairs.map((pair) => {
		const [name = "", ...value] = pair.split("=");
		return [name, value.join("=")].map((text) => encode(decode(text))).join("\0");
	});
	return encoded.toSorted().join("&").replaceAll("\0", "=");
}

function canonicalRequest(request: SignedRequest, auth: Authorization, payloadHash: string): string {
	const [, path = "/", query = ""] = /^[a-z]+:\/\/[^/?]+([^?]*)\??(.*)$/i.exec(request.url) ?? [];
	const headers = auth.signedHeaders.map((name) => `${name}:${(request.headers.get(name) ?? "").trim().replace(/ +/g, " ")}\n`);
	return [
		request.method,
		canonicalPath(path || "/", auth.service),
		canonicalQuery(query),
		headers.join(""),
		auth.signedHeaders.join(";"),
		payloadHash,
	].join("\n");
}

function signatureOf(request: SignedRequest, auth: Authorization, keys: AwsKeys, payloadHash: string): string {
	const scope = `${auth.date}/${auth.region}/${auth.service}/aws4_request`;
	const text = ["AWS4-HMAC-SHA256", request.headers.get("x-amz-date"), scope, sha256(canonicalRequest(request, auth, payloadHash))].join(
		"\n",
	);
	const key = [auth.region, auth.service, "aws4_request"].reduce(hmac, hmac(`AWS4${keys.secretAccessKey}`, auth.date));
	return hmac(key, text).toString("hex");
}

function checkScope(auth: Authorization, headers: Headers, { keys, region, service, now }: Scope): Verdict | null {
	const date = parseDate(headers.get("x-amz-date"));
	if (date === null) return refusal("malformed", "x-amz-date is missing or not of the form 20150830T123600Z");
	if (auth.accessKeyId !== keys.accessKeyId) return refusal("unknown-key", "the access key id does not exist");
	if ((headers.get("x-amz-security-token") ?? undefined) !== keys.sessionToken)
		return refusal("unknown-key", "the security token is not the key's");
	if (auth.region !== region || auth.service !== service)
		return refusal("scope", `the credential is for ${auth.service} in ${auth.region}, this is ${service} in ${region}`);
	if (!headers.get("x-amz-date")?.startsWith(auth.date)) return refusal("scope", "the credential's date is not that of x-amz-date");
	if (Math.abs(now - date) > MAX_SKEW_MS) return refusal("expired", "x-amz-date is over 5 minutes from the server's time");
	return null;
}

/** `host` and every `x-amz-*` header must be signed, in order, each once. */
function checkSignedHeaders(signed: string[], headers: Headers): Verdict | null {
	if (signed.join() !== [...new Set(signed)].toSorted().join() || signed.some((name) => name !== name.toLowerCase()))
		return refusal("malformed", "SignedHeaders is not a sorted list of lower-case names");
	const needed = ["host", ...[...headers.keys()].filter((name) => name.startsWith("x-amz-"))];
	const missing = needed.filter((name) => !signed.includes(name));
	if (missing.length > 0) return refusal("signature", `headers that must be signed are not: ${missing.join(", ")}`);
	const absent = signed.filter((name) => !headers.has(name));
	return absent.length > 0 ? refusal("signature", `signed headers that did not come: ${absent.join(", ")}`) : null;
}

/**
 * Says whether a request is signed with `keys` for this service and region, now. S3 must name its payload in `x-amz-content-sha256`
 * and may leave it unsigned; for every other service the hash of the body counts. Signatures in the query are not taken.
 */
export function verifySignature(request: SignedRequest, scope: Scope): Verdict {
	const header = request.headers.get("authorization");
	if (header === null) return refusal("unsigned", "the request has no Authorization header");
	const auth = parseAuthorization(header);
	if (auth === null) return refusal("malformed", "the Authorization header is not AWS Signature Version 4");
	const wrong = checkScope(auth, request.headers, scope) ?? checkSignedHeaders(auth.signedHeaders, request.headers);
	if (wrong) return wrong;
	const named = request.headers.get("x-amz-content-sha256");
	const actual = sha256(request.body);
	if (named === null && scope.service === "s3") return refusal("malformed", "x-amz-content-sha256 is missing");
	const unsigned = scope.service === "s3" && named === "UNSIGNED-PAYLOAD";
	if (named !== null && named !== actual && !unsigned) return refusal("payload", "x-amz-content-sha256 is not the hash of the body");
	const wanted = signatureOf(request, auth, scope.keys, unsigned ? "UNSIGNED-PAYLOAD" : actual);
	if (!timingSafeEqual(Buffer.from(wanted), Buffer.from(auth.signature)))
		return refusal("signature", "the signature is not the one that this request gives");
	return { valid: true };
}
