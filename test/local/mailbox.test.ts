// The mailbox stand-in: signed from outside, bound to the address from a machine.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { AwsClient } from "aws4fetch";
import { type Endpoint, type Mailbox, startMailbox } from "../../local/mailbox.ts";
import { KEYS, REGION } from "../fakes/aws-account.ts";

const OWN = "10.0.0.4";
const OTHER = "10.0.0.40";
let mailbox: Mailbox;
let own: Endpoint;
let other: Endpoint;
beforeAll(async () => {
	mailbox = await startMailbox({ keys: KEYS, region: REGION, maxObjectBytes: 1000 });
	own = mailbox.endpointFor(OWN);
	other = mailbox.endpointFor(OTHER);
});
afterAll(() => Promise.all([mailbox, own, other].map((each) => each.stop())));

const outside = new AwsClient({ ...KEYS, region: REGION, service: "s3", retries: 0 });
const statusOf = async (url: string, method = "GET", body?: string) => (await fetch(url, { method, body })).status;

/** Sends a path as it stands, which `fetch` would tidy up first. */
function rawStatus(url: string, method: string, path: string): Promise<number> {
	const { hostname, port, host } = new URL(url);
	return new Promise((resolve, reject) => {
		const socket = connect(Number(port), hostname, () =>
			socket.end(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
		);
		let answer = "";
		socket.on("data", (data) => {
			answer += data;
		});
		socket.on("error", reject);
		socket.on("close", () => resolve(Number(answer.split(" ")[1])));
	});
}

describe("from outside", () => {
	test("signed requests put, read, look at and delete", async () => {
		const url = `${mailbox.url}/config/a%20b.json`;
		const put = await outside.fetch(url, { method: "PUT", body: "{}" });
		expect([put.status, put.headers.get("etag")]).toEqual([200, '"99914b932bd37a50b983c5e7c90ae93b"']);
		expect(mailbox.keys()).toContain("config/a b.json");
		expect(await (await outside.fetch(url)).text()).toBe("{}");
		const head = await outside.fetch(url, { method: "HEAD" });
		expect([head.status, head.headers.get("content-length")]).toEqual([200, "2"]);
		for (const _ of ["there", "gone"]) expect((await outside.fetch(url, { method: "DELETE" })).status).toBe(204);
		expect(mailbox.keys()).not.toContain("config/a b.json");
	});

	test("a missing key answers 403, since nobody may list", async () => {
		const answer = await outside.fetch(`${mailbox.url}/none`);
		expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining("<Code>AccessDenied</Code>")]);
		expect((await outside.fetch(`${mailbox.url}/`)).status).toBe(403);
	});

	test("unsigned, wrongly signed and changed requests are refused", async () => {
		mailbox.put("boot/10.0.0.9/i-1", "secret");
		const url = `${mailbox.url}/boot/10.0.0.9/i-1`;
		const codeOf = async (answer: Promise<Response>) => /<Code>(.*)<\/Code>/.exec(await (await answer).text())?.[1] ?? "none";
		expect(await codeOf(fetch(url))).toBe("AccessDenied");
		expect(await codeOf(fetch(url, { method: "PUT", body: "x" }))).toBe("AccessDenied");
		expect(await codeOf(new AwsClient({ ...KEYS, secretAccessKey: "x", region: REGION, service: "s3" }).fetch(url))).toBe(
			"SignatureDoesNotMatch",
		);
		expect(await codeOf(new AwsClient({ ...KEYS, accessKeyId: "x", region: REGION, service: "s3" }).fetch(url))).toBe("InvalidAccessKeyId");
		expect(await codeOf(outside.fetch(url, { aws: { service: "ec2" } }))).toBe("AccessDenied");
		expect(await codeOf(outside.fetch(url, { aws: { datetime: "20200101T000000Z" } }))).toBe("RequestTimeTooSkewed");
		const hash = { "x-amz-content-sha256": "0".repeat(64) };
		expect(await codeOf(outside.fetch(url, { method: "PUT", body: "x", headers: hash }))).toBe("XAmzContentSHA256Mismatch");
		expect(await mailbox.read("boot/10.0.0.9/i-1")).toBe("secret");
	});

	test("objects over the cap, and what S3 knows but this does not, are refused", async () => {
		expect((await outside.fetch(`${mailbox.url}/big`, { method: "PUT", body: "x".repeat(1000) })).status).toBe(200);
		expect((await outside.fetch(`${mailbox.url}/big2`, { method: "PUT", body: "x".repeat(1001) })).status).toBe(400);
		expect((await outside.fetch(`${mailbox.url}/big?acl`)).status).toBe(501);
		expect((await outside.fetch(`${mailbox.url}/big`, { method: "POST", body: "x" })).status).toBe(501);
		const once = { "if-none-match": "*" };
		expect((await outside.fetch(`${mailbox.url}/big`, { method: "PUT", body: "y", headers: once })).status).toBe(412);
		expect(mailbox.keys()).not.toContain("big2");
	});
});

describe("from a machine", () => {
	test("reads and deletes its own boot document, and nobody else's", async () => {
		mailbox.put(`boot/${OWN}/i-1`, "mine");
		expect(await (await fetch(`${own.url}/boot/${OWN}/i-1`)).text()).toBe("mine");
		expect(await statusOf(`${other.url}/boot/${OWN}/i-1`)).toBe(403);
		expect(await statusOf(`${other.url}/boot/${OWN}/i-1`, "DELETE")).toBe(403);
		expect(mailbox.keys()).toContain(`boot/${OWN}/i-1`);
		expect(await statusOf(`${own.url}/boot/${OWN}/i-1`, "DELETE")).toBe(204);
		expect(await statusOf(`${own.url}/boot/${OWN}/i-1`)).toBe(403);
	});

	test("writes its own records, reads none, and reads what is distributed to all", async () => {
		mailbox.put("dist/agent", "binary");
		expect(await statusOf(`${own.url}/records/${OWN}/i-1.json`, "PUT", "{}")).toBe(200);
		expect(await mailbox.read(`records/${OWN}/i-1.json`)).toBe("{}");
		const refused: [string, string][] = [
			["GET", `records/${OWN}/i-1.json`],
			["DELETE", `records/${OWN}/i-1.json`],
			["PUT", `records/${OTHER}/i-1.json`],
			["PUT", `boot/${OWN}/i-1`],
			["PUT", "dist/agent"],
			["DELETE", "dist/agent"],
			["GET", "dist/"],
			["GET", ""],
			["GET", "config.json"],
			["POST", `records/${OWN}/i-1.json`],
		];
		for (const [method, key] of refused)
			expect([method, key, await statusOf(`${own.url}/${key}`, method, method === "PUT" ? "x" : undefined)]).toEqual([method, key, 403]);
		for (const from of [own, other]) expect(await (await fetch(`${from.url}/dist/agent`)).text()).toBe("binary");
		expect(await statusOf(`${own.url}/records/${OWN}/big`, "PUT", "x".repeat(1001))).toBe(400);
	});

	test("cannot get out of its folder with dots, encodings or a longer address", async () => {
		mailbox.put(`boot/${OTHER}/i-2`, "theirs");
		const paths = [
			`/boot/${OWN}/../${OTHER}/i-2`,
			`/boot/${OWN}/%2e%2e/${OTHER}/i-2`,
			`/boot/${OWN}/..%2f${OTHER}%2fi-2`,
			`/boot/${OWN}%2f..%2f${OTHER}/i-2`,
			`/boot/${OWN}/%252e%252e/${OTHER}/i-2`,
			`/boot/${OWN}\\..\\${OTHER}\\i-2`,
			`//boot/${OTHER}/i-2`,
			`/./boot/${OTHER}/i-2`,
			`/boot/${OWN}0/i-2`,
			`/boot/${OWN}/%00/../../${OTHER}/i-2`,
			`/dist/../boot/${OTHER}/i-2`,
			`/boot/${OTHER}/i-2?x=/boot/${OWN}/`,
			`/boot/${OTHER}/i-2#/boot/${OWN}/`,
			"/boot/%ff",
			`http://other/boot/${OTHER}/i-2`,
		];
		for (const path of paths) expect([400, 403]).toContain(await rawStatus(own.url, "GET", path));
		for (const path of paths) await rawStatus(own.url, "DELETE", path);
		expect(await mailbox.read(`boot/${OTHER}/i-2`)).toBe("theirs");
	});

	test("holds no credentials: signed requests are refused", async () => {
		expect((await outside.fetch(`${own.url}/boot/${OTHER}/i-2`)).status).toBe(403);
		expect((await outside.fetch(`${own.url}/dist/agent`)).status).toBe(403);
	});

	test("is known to those who look at the requests", () => {
		expect(mailbox.requests().at(-1)).toEqual({ from: OWN, method: "GET", key: "dist/agent", status: 403 });
	});
});
