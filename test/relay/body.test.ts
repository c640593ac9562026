// Bodies that do not come as they should: slowly, never, packed, too long. Written on a socket, since no client would send them.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { instanceId } from "./ledger-rows.ts";
import { delivery, payloadOf, type RelayUnderTest, relayUnderTest, reportToken, SECRETS, sign } from "./relay-under-test.ts";

let relay: RelayUnderTest;
beforeAll(async () => {
	relay = await relayUnderTest({ CLOCKS: JSON.stringify({ body: 300 }) });
});
afterAll(() => relay.stop());

/** Sends the head and some pieces with a pause before each, and returns the status and the JSON that came back. */
async function answerTo(path: string, headers: Record<string, string>, pieces: Iterable<string>, pause: number) {
	const socket = connect(Number(new URL(relay.url()).port), "127.0.0.1");
	let said = "";
	socket.setEncoding("latin1").on("data", (text: string) => {
		said += text;
	});
	const over = new Promise<void>((resolve) => void socket.once("close", () => resolve()));
	socket.on("error", () => undefined);
	const lines = Object.entries({ host: "relay", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
	socket.write(`POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
	const isAnswered = () => said.includes("\r\n\r\n") && said.trimEnd().endsWith("}");
	for (const piece of pieces) {
		await Bun.sleep(pause);
		if (isAnswered() || socket.destroyed) break;
		socket.write(piece);
	}
	while (!isAnswered() && !socket.destroyed) await Bun.sleep(5);
	socket.destroy();
	await over;
	return { status: Number(said.slice(9, 12)), ...(JSON.parse(said.slice(said.indexOf("{"), said.lastIndexOf("}") + 1)) as object) };
}

const CALLERS: Record<string, Record<string, string>> = {
	"/webhook": { "content-type": "application/json", "x-hub-signature-256": sign("{}") },
	"/lease": { authorization: `Bearer ${SECRETS.POLLER_TOKEN}` },
	"/settle": { authorization: `Bearer ${SECRETS.POLLER_TOKEN}` },
	"/observe": { authorization: `Bearer ${SECRETS.POLLER_TOKEN}` },
	"/report": { authorization: `Bearer ${reportToken(instanceId(1))}` },
	"/switches": { authorization: `Bearer ${SECRETS.OPERATOR_TOKEN}` },
};

describe("a slow body", () => {
	for (const [path, caller] of Object.entries(CALLERS)) {
		test(`to ${path} is not waited for: 408, whether its length was announced or not`, async () => {
			const late = { status: 408, error: "timed out", reason: "the body took longer than 300 ms" };
			expect(await answerTo(path, { ...caller, "content-length": "1000" }, Array(1000).fill("x"), 20)).toEqual(late);
			expect(await answerTo(path, { ...caller, "transfer-encoding": "chunked" }, Array(1000).fill("1\r\nx\r\n"), 20)).toEqual(late);
			expect(await answerTo(path, { ...caller, "content-length": "1000" }, [], 0)).toEqual(late);
		});
	}

	test("that comes in time, piece by piece, is taken", async () => {
		const { body, headers } = delivery(payloadOf(1, "queued"));
		const text = String(body);
		const sent = { ...Object.fromEntries(headers as [string, string][]), "content-length": String(Buffer.byteLength(text)) };
		const pieces = [text.slice(0, 100), text.slice(100, 101), text.slice(101)];
		expect(await answerTo("/webhook", sent, pieces, 10)).toMatchObject({ status: 202, accepted: true });
	});
});

describe("a packed body", () => {
	test("is answered 415 unread, so that a small one cannot unpack to a large one", async () => {
		const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20));
		const packed = { ...delivery("{}", { "x-hub-signature-256": sign(bomb), "content-encoding": "gzip" }), body: bomb };
		expect((await relay.call("/webhook", packed)).status).toBe(415);
		for (const encoding of ["gzip", "deflate", "br", "zstd", "gzip, identity", "x"])
			for (const [path, headers] of Object.entries(CALLERS)) {
				const said = await relay.call(path, { method: "POST", body: "{}", headers: { ...headers, "content-encoding": encoding } });
				expect([path, encoding, said.status]).toEqual([path, encoding, 415]);
				expect(await said.json()).toMatchObject({ reason: "a body is sent as it is, without Content-Encoding" });
			}
	});

	test("that says it is none is taken", async () => {
		expect((await relay.webhook(payloadOf(2, "queued"), { "content-encoding": "identity" })).status).toBe(202);
	});
});

describe("a body that is too long", () => {
	const CAPS = { "/webhook": 1, "/report": 1 / 16, "/lease": 16, "/settle": 16, "/observe": 16, "/switches": 1 / 16 };
	for (const [path, cap] of Object.entries(CAPS))
		test(`for ${path} is answered 413, whether its length was announced or not`, async () => {
			const bytes = new Uint8Array(cap * 1024 * 1024 + 1).fill(0x20);
			const long = { status: 413, error: "too large", reason: `the body is longer than ${cap * 1024 * 1024} bytes` };
			const headers = CALLERS[path] ?? {};
			expect(await answerTo(path, { ...headers, "content-length": String(bytes.length) }, [], 0)).toEqual(long);
			const streamed = new Response(bytes).body;
			const said = await relay.call(path, { method: "POST", headers, body: streamed, duplex: "half" } as RequestInit);
			expect({ status: said.status, ...((await said.json()) as object) }).toEqual(long);
		});
});
