// What a caller with a right to call can still do too much of: it costs that caller an answer, never the others theirs.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { delivery, payloadOf, type RelayUnderTest, relayUnderTest, sign } from "./relay-under-test.ts";

let relay: RelayUnderTest;
beforeAll(async () => {
	relay = await relayUnderTest();
});
afterAll(() => relay.stop());

describe("a job of the longest labels there may be", () => {
	const labels = Array.from({ length: 100 }, (_, at) => `${at}`.padEnd(40, "\u4e00"));
	const name = "\u4e00".repeat(2048);

	test("times a hundred is still handed out, all at once, to the request that asks for it and again", async () => {
		for (let id = 1; id <= 100; id++) expect((await relay.webhook(payloadOf(id, "queued", { labels, name }))).status).toBe(202);
		const first = await relay.lease({ requestId: "long" });
		expect(first.work).toHaveLength(100);
		expect(await relay.lease({ requestId: "long" })).toEqual(first);
		await relay.webhook(payloadOf(101, "queued"));
		expect((await relay.lease()).work.map(({ workId }) => workId)).toEqual(["launch-101"]);
	});

	test("does not keep the relay from starting again", async () => {
		await relay.kill("SIGKILL");
		await relay.restart();
		expect((await relay.job(100)).labels).toEqual(labels);
		expect((await relay.webhook(payloadOf(102, "queued"))).status).toBe(202);
	});
});

describe("an intent", () => {
	test("that no row can hold is refused with a reason, and the launch stays to be decided", async () => {
		await relay.webhook(payloadOf(103, "queued"));
		const item = (await relay.lease()).work.find(({ workId }) => workId === "launch-103");
		const launching = { workId: item?.workId, leaseId: item?.leaseId, outcome: "launching", token: "t", members: [103] };
		const long = { results: [{ ...launching, request: { overrides: "x".repeat(3_000_000) } }] };
		const said = await relay.call("/settle", relay.bearer(relay.secrets.POLLER_TOKEN, long));
		expect([said.status, await said.json()]).toEqual([
			400,
			{ error: "bad request", reason: "results.0.request: longer than 500000 characters" },
		]);
		expect((await relay.settle({ ...launching, request: { overrides: "x" } })).settled).toEqual({ "launch-103": { state: "launching" } });
	});
});

describe("hostile bodies", () => {
	const MIB = 1024 * 1024 - 200;
	const keys = (count: number) => Array.from({ length: count }, (_, at) => `"k${at}":${at}`).join(",");
	const bodies = {
		"deep arrays": "[".repeat(MIB),
		"deep objects": '{"a":'.repeat(MIB / 5),
		"a hundred thousand names": `{${keys(70_000)}}`,
		"one long text": `{"action":"${"x".repeat(MIB - 20)}"}`,
		escapes: `{"action":"${"\\u0000".repeat(MIB / 6 - 10)}"}`,
		"a hundred thousand labels": JSON.stringify(payloadOf(1, "queued", { labels: Array(90_000).fill("x") })),
		numbers: `[${"1e308,".repeat(MIB / 6 - 2)}1]`,
	};

	/** Resident memory of workerd, in MiB (proc(5): statm, second field, pages of 4 KiB). */
	const resident = () => Number(readFileSync(`/proc/${relay.pid()}/statm`, "utf8").split(" ")[1]) / 256;

	async function sendAll(times: number): Promise<void> {
		for (let time = 0; time < times; time++)
			for (const body of Object.values(bodies)) {
				const signed = await relay.call("/webhook", delivery(body));
				expect([signed.status, ((await signed.json()) as { reason: string }).reason.length > 0]).toEqual([400, true]);
				const unsigned = await relay.call("/webhook", delivery(body, { "x-hub-signature-256": sign("another") }));
				expect(unsigned.status).toBe(401);
				await unsigned.arrayBuffer();
			}
	}

	test("of 1 MiB are each answered 4xx with a reason and leave no memory behind", async () => {
		await sendAll(10);
		const before = resident();
		await sendAll(30);
		expect(resident() - before).toBeLessThan(96);
	}, 60_000);
});
