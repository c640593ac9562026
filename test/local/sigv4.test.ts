// The signature check against AWS's own examples and two signers that share no code with it.
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import { AwsClient } from "aws4fetch";
import fc from "fast-check";
import { type Scope, type SignedRequest, verifySignature } from "../../local/sigv4.ts";

const KEYS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const NOW = Date.UTC(2026, 10, 23, 6, 0, 0);
const SCOPE: Scope = { keys: KEYS, region: "eu-west-1", service: "s3", now: NOW };

async function signed(url: string, init: RequestInit & { body?: string } = {}, service = "s3"): Promise<SignedRequest> {
	const client = new AwsClient({ ...KEYS, region: "eu-west-1", service, retries: 0 });
	const hash = {
		"x-amz-content-sha256": createHash("sha256")
			.update(init.body ?? "")
			.digest("hex"),
	};
	const headers = { ...hash, ...(init.headers as Record<string, string>) };
	const request = await client.sign(url, { ...init, headers, aws: { datetime: "20261123T060000Z", allHeaders: true } });
	const sent = new Headers(request.headers);
	sent.set("host", new URL(url).host);
	return { method: request.method, url, headers: sent, body: new TextEncoder().encode(init.body ?? "") };
}

const problem = (request: SignedRequest, scope: Partial<Scope> = {}) => {
	const verdict = verifySignature(request, { ...SCOPE, ...scope });
	return verdict.valid ? null : verdict.problem;
};

/** `request` with one header put in place or, for null, taken away. */
function altered(request: SignedRequest, name: string, value: string | null): SignedRequest {
	const headers = new Headers(request.headers);
	if (value === null) headers.delete(name);
	else headers.set(name, value);
	return { ...request, headers };
}

describe("AWS's own examples", () => {
	test("get-vanilla of the signature suite is valid", () => {
		const authorization =
			"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
		const headers = new Headers({ host: "example.amazonaws.com", "x-amz-date": "20150830T123600Z", authorization });
		const request = { method: "GET", url: "https://example.amazonaws.com/", headers, body: new Uint8Array() };
		expect(problem(request, { region: "us-east-1", service: "service", now: Date.UTC(2015, 7, 30, 12, 36) })).toBeNull();
	});

	test("GET Object of the S3 guide is valid", () => {
		const keys = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
		const authorization =
			"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
		const host = "examplebucket.s3.amazonaws.com";
		const headers = new Headers({
			host,
			range: "bytes=0-9",
			"x-amz-content-sha256": EMPTY,
			"x-amz-date": "20130524T000000Z",
			authorization,
		});
		const request = { method: "GET", url: `https://${host}/test.txt`, headers, body: new Uint8Array() };
		expect(problem(request, { keys, region: "us-east-1", now: Date.UTC(2013, 4, 24) })).toBeNull();
	});
});

describe("other signers", () => {
	const urls = [
		"http://localhost:9000/boot/10.0.0.1/i-1",
		"http://localhost:9000/a%20b/c%2Bd/%C3%A9?x=2&x1=1&empty&sp=a%20b&Z=1",
		"http://localhost:9000/weird!'()*~-_.",
	];
	test.each(urls)("aws4fetch's signature for S3 on %s is valid", async (url) => {
		expect(problem(await signed(url))).toBeNull();
		expect(problem(await signed(url, { method: "PUT", body: "text" }))).toBeNull();
	});

	test("aws4fetch's signature for a service that encodes the path twice is valid", async () => {
		expect(problem(await signed(urls[1] as string, {}, "ec2"), { service: "ec2" })).toBeNull();
	});

	test.each(["s3", "secretsmanager"])("Smithy's signature for %s is valid", async (service) => {
		const signer = new SignatureV4({ credentials: KEYS, region: "eu-west-1", service, sha256: Sha256, uriEscapePath: service !== "s3" });
		const request = {
			method: "PUT",
			protocol: "http:",
			hostname: "localhost",
			path: "/records/a%20b",
			query: { b: "2", a: "1 /" },
			body: "x",
		};
		const done = await signer.sign({ ...request, headers: { host: "localhost" } }, { signingDate: new Date(NOW) });
		const url = "http://localhost/records/a%20b?b=2&a=1%20%2F";
		expect(
			problem({ method: "PUT", url, headers: new Headers(done.headers), body: new TextEncoder().encode("x") }, { service }),
		).toBeNull();
	});

	test("whatever the path, query and body are, Smithy's signature is valid and one bit elsewhere is not", async () => {
		const signer = new SignatureV4({ credentials: KEYS, region: "eu-west-1", service: "s3", sha256: Sha256, uriEscapePath: false });
		const encoded = (text: string) =>
			encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
		const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
		// Smithy keeps parameters in a plain object and loses one named `__proto__` before it signs.
		const name = text.filter((name) => name !== "__proto__");
		const inputs = [
			fc.array(text, { maxLength: 4 }),
			fc.uniqueArray(fc.tuple(name, text), { maxLength: 4, selector: ([name]) => name }),
			text,
		] as const;
		const holds = fc.asyncProperty(...inputs, async (parts, pairs, body) => {
			const path = `/${parts.map(encoded).join("/")}`;
			const query = Object.fromEntries(pairs);
			const parameters = { method: "PUT", protocol: "http:", hostname: "h", path, query, body, headers: { host: "h" } };
			const { headers } = await signer.sign(parameters, { signingDate: new Date(NOW) });
			const url = `http://h${path}?${pairs.map((pair) => pair.map(encoded).join("=")).join("&")}`;
			const request = { method: "PUT", url, headers: new Headers(headers), body: new TextEncoder().encode(body) };
			expect(problem(request)).toBeNull();
			expect(problem({ ...request, url: `${url}&x` })).toBe("signature");
			expect(problem({ ...request, body: request.body.map((byte, at) => (at === 0 ? byte ^ 1 : byte)) })).toBe("payload");
		});
		await fc.assert(holds, { numRuns: 200 });
	});

	test("an unsigned payload is S3's alone", async () => {
		const request = await signed("http://localhost/a", {
			method: "PUT",
			body: "x",
			headers: { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
		});
		expect(problem({ ...request, body: new TextEncoder().encode("y") })).toBeNull();
		const other = await signed(
			"http://localhost/a",
			{ method: "PUT", body: "x", headers: { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" } },
			"ec2",
		);
		expect(problem(other, { service: "ec2" })).toBe("payload");
	});
});

describe("what is refused", () => {
	const url = "http://localhost/boot/10.0.0.1/i-1?a=1";
	const good = () => signed(url, { method: "PUT", body: "text", headers: { "x-amz-meta-a": "1" } });

	test("a request without a signature, or with one that is not version 4", async () => {
		expect(problem(altered(await good(), "authorization", null))).toBe("unsigned");
		for (const header of ["Bearer x", "AWS AKID:sig", "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=00", ""])
			expect(problem(altered(await good(), "authorization", header))).toBe("malformed");
	});

	test("a signature for another method, path, query, body or header", async () => {
		const request = await good();
		expect(problem({ ...request, method: "DELETE" })).toBe("signature");
		expect(problem({ ...request, url: url.replace("i-1", "i-2") })).toBe("signature");
		expect(problem({ ...request, url: url.replace("a=1", "a=2") })).toBe("signature");
		expect(problem({ ...request, body: new TextEncoder().encode("texT") })).toBe("payload");
		expect(problem(altered(request, "x-amz-meta-a", "2"))).toBe("signature");
		expect(problem(altered(request, "host", "elsewhere"))).toBe("signature");
	});

	test("a signature that was changed, or made with another secret", async () => {
		const request = await good();
		const header = request.headers.get("authorization") ?? "";
		expect(
			problem(
				altered(
					request,
					"authorization",
					header.replace(/.$/, (end) => (end === "0" ? "1" : "0")),
				),
			),
		).toBe("signature");
		expect(problem(request, { keys: { ...KEYS, secretAccessKey: "other" } })).toBe("signature");
	});

	test("another key, service, region or day", async () => {
		const request = await good();
		expect(problem(request, { keys: { ...KEYS, accessKeyId: "AKIDOTHER" } })).toBe("unknown-key");
		expect(problem(request, { service: "ec2" })).toBe("scope");
		expect(problem(request, { region: "us-east-1" })).toBe("scope");
		expect(
			problem(altered(request, "authorization", (request.headers.get("authorization") ?? "").replace("/20261123/", "/20261122/"))),
		).toBe("scope");
	});

	test("a request from over five minutes ago, or from then on", async () => {
		for (const off of [-301_000, 301_000]) expect(problem(await good(), { now: NOW + off })).toBe("expired");
		for (const off of [-299_000, 299_000]) expect(problem(await good(), { now: NOW + off })).toBeNull();
	});

	test("an x-amz- header that came unsigned", async () => {
		expect(problem(altered(await good(), "x-amz-acl", "public-read"))).toBe("signature");
	});

	test("a session token where the key has none, and none where it has one", async () => {
		expect(problem(altered(await good(), "x-amz-security-token", "t"))).toBe("unknown-key");
		expect(problem(await good(), { keys: { ...KEYS, sessionToken: "t" } })).toBe("unknown-key");
	});

	test("a request without its date or, at S3, without its payload's hash", async () => {
		expect(problem(altered(await good(), "x-amz-date", null))).toBe("malformed");
		expect(problem(altered(await good(), "x-amz-content-sha256", null))).not.toBeNull();
	});
});
