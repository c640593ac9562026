// POST /webhook through the front door: what GitHub may say, and every way in which it is refused.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import examples from "@octokit/webhooks-examples/api.github.com/index.json";
import { delivery, payloadOf, type RelayUnderTest, relayUnderTest, sign } from "./relay-under-test.ts";

let relay: RelayUnderTest;
beforeAll(async () => {
	relay = await relayUnderTest();
});
afterAll(() => relay.stop());

async function answer(response: Promise<Response>): Promise<[number, Record<string, unknown>]> {
	const said = await response;
	return [said.status, (await said.json()) as Record<string, unknown>];
}

describe("webhook", () => {
	test("every workflow_job example of GitHub is taken in", async () => {
		const jobs = examples.find(({ name }) => name === "workflow_job")?.examples ?? [];
		expect(jobs.length).toBeGreaterThanOrEqual(8);
		for (const example of jobs) {
			const [status, body] = await answer(relay.webhook(example));
			expect(status).toBe(202);
			expect([{ accepted: true }, { accepted: false, reason: "duplicate delivery" }]).toContainEqual(body as { accepted: true });
		}
		// The oldest example: no attempt, no creation time, no installation.
		expect(await relay.job(2832853555)).toMatchObject({ state: "running", attempt: 1, installationId: null });
		expect(await relay.job(14541957942)).toMatchObject({ state: "running", reason: "GitHub Actions 6 runs it", machine: null });
	});

	test("a queued job with status waiting is not launchable until it is queued for good", async () => {
		const deployment = { environment: "production" };
		await relay.webhook(payloadOf(10, "queued", { status: "waiting" }, { deployment }));
		await relay.webhook(payloadOf(10, "waiting"));
		expect((await relay.job(10)).state).toBe("waiting");
		expect(await answer(relay.webhook(payloadOf(10, "queued")))).toMatchObject([202, { accepted: true }]);
		expect((await relay.job(10)).state).toBe("queued");
		const { work } = await relay.lease();
		expect(work.find(({ workId }) => workId === "launch-10")).toMatchObject({ kind: "launch", environment: "production" });
	});

	test("an event that is not workflow_job is answered 202 and not accepted", async () => {
		const ping = examples.find(({ name }) => name === "ping")?.examples[0];
		const [status, body] = await answer(relay.webhook(ping, { "x-github-event": "ping" }));
		expect([status, body]).toEqual([202, { accepted: false, reason: "event ping is not served" }]);
	});

	test("an action that GitHub may add one day is answered 202 and not accepted", async () => {
		expect(await answer(relay.webhook(payloadOf(11, "paused", { status: "queued" })))).toMatchObject([202, { accepted: false }]);
	});

	test("an owner that is not in OWNERS is answered 202 and not accepted", async () => {
		const repository = { full_name: "stranger/repo", owner: { login: "stranger" } };
		const [status, body] = await answer(relay.webhook(payloadOf(12, "queued", {}, { repository })));
		expect([status, body]).toEqual([202, { accepted: false, reason: "owner stranger is not served" }]);
		expect((await relay.operator("/jobs/12")).status).toBe(404);
	});

	test("OWNERS is read without regard to case", async () => {
		const repository = { full_name: "Octo-Org/repo", owner: { login: "Octo-Org" } };
		expect(await answer(relay.webhook(payloadOf(13, "queued", {}, { repository })))).toMatchObject([202, { accepted: true }]);
	});

	test("a replayed delivery is answered 202, not accepted, and changes nothing", async () => {
		const sent = delivery(payloadOf(14, "queued"));
		expect(await answer(relay.call("/webhook", sent))).toMatchObject([202, { accepted: true }]);
		const before = await relay.job(14);
		expect(await answer(relay.call("/webhook", sent))).toMatchObject([202, { accepted: false, reason: "duplicate delivery" }]);
		expect(await relay.job(14)).toEqual(before);
	});

	test("the same word on a job under another delivery id is a duplicate", async () => {
		await relay.webhook(payloadOf(15, "queued"));
		expect(await answer(relay.webhook(payloadOf(15, "queued")))).toMatchObject([202, { accepted: false, reason: "duplicate delivery" }]);
	});

	test("a late queued does not revive a job that was completed before it was known", async () => {
		await relay.webhook(payloadOf(16, "completed", { conclusion: "cancelled" }));
		expect(await answer(relay.webhook(payloadOf(16, "queued")))).toMatchObject([202, { accepted: true }]);
		expect(await relay.job(16)).toMatchObject({ state: "done", conclusion: "cancelled", nextCheckAt: null });
	});
});

describe("webhook refusals", () => {
	const body = JSON.stringify(payloadOf(20, "queued"));
	const badSignatures = {
		"no signature": null,
		"an empty signature": "",
		"a signature without any digit": "sha256=",
		"a signature without its algorithm": sign(body).slice(7),
		"a signature of another algorithm": sign(body).replace("sha256", "sha1"),
		"a signature made with another secret": sign(body, "another-secret-0123456789abcdef0123"),
		"a signature of another body": sign(`${body} `),
		"a signature cut short": sign(body).slice(0, -2),
		"a signature with more behind it": `${sign(body)}00`,
	};
	for (const [name, signature] of Object.entries(badSignatures))
		test(`${name} is answered 401`, async () => {
			expect(await answer(relay.webhook(body, { "x-hub-signature-256": signature }))).toMatchObject([401, { error: "unauthorized" }]);
		});

	test("an unsigned body is answered 401 before anything is said of its form", async () => {
		for (const text of ["", "not json", "{}"])
			expect((await relay.webhook(text, { "x-hub-signature-256": null, "x-github-delivery": null })).status).toBe(401);
	});

	test("an empty signed body is answered 401", async () => {
		expect((await relay.webhook("")).status).toBe(401);
	});

	test("a signed body that is not UTF-8 is answered 400", async () => {
		const bytes = new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]);
		const init = { ...delivery("{}", { "x-hub-signature-256": sign(bytes) }), body: bytes };
		expect(await answer(relay.call("/webhook", init))).toEqual([400, { error: "bad request", reason: "the body is not JSON" }]);
	});

	const malformed = {
		"a signed body that is not JSON": "not json",
		"a signed body cut off": JSON.stringify(payloadOf(21, "queued")).slice(0, -20),
		"a signed body that is not an object": "[]",
		"a signed body without a job": JSON.stringify({ action: "queued" }),
		"a signed job without an id": JSON.stringify(payloadOf(21, "queued", { id: undefined })),
		"an id beyond 2^53": JSON.stringify(payloadOf(21, "queued")).replace('"id":21', '"id":9007199254740993'),
		"an unknown status": JSON.stringify(payloadOf(21, "queued", { status: "asleep" })),
		"10,000 labels": JSON.stringify(payloadOf(21, "queued", { labels: Array(10_000).fill("x") })),
		"a label of 64 KB": JSON.stringify(payloadOf(21, "queued", { labels: ["x".repeat(65_536)] })),
		"a NUL in a label": JSON.stringify(payloadOf(21, "queued", { labels: ["mayfly\0"] })),
		"a NUL in the job's name": JSON.stringify(payloadOf(21, "queued", { name: "build\0" })),
		"a NUL in the runner's name": JSON.stringify(payloadOf(21, "in_progress", { runner_name: "\0" })),
		"a NUL byte between the values": JSON.stringify(payloadOf(21, "queued")).replace(":", ":\0"),
		"an id of 1e400": JSON.stringify(payloadOf(21, "queued")).replace('"id":21', '"id":1e400'),
		"an id that is a fraction": JSON.stringify(payloadOf(21, "queued", { id: 21.5 })),
		"a job that only the prototype would have": `{"__proto__":${JSON.stringify(payloadOf(21, "queued"))}}`,
		"a constructor for a repository": JSON.stringify(payloadOf(21, "queued", {}, { repository: "constructor" })),
		"a repository name that is none": JSON.stringify(
			payloadOf(21, "queued", {}, { repository: { full_name: "octo-org", owner: { login: "octo-org" } } }),
		),
		"JSON 100,000 deep": "[".repeat(100_000),
	};
	for (const [name, text] of Object.entries(malformed))
		test(`${name} is answered 400 with a reason`, async () => {
			const [status, said] = await answer(relay.webhook(text));
			expect([status, said.error]).toEqual([400, "bad request"]);
			expect(said.reason).toBeString();
		});

	test("a delivery without its id is answered 400", async () => {
		expect((await relay.webhook(payloadOf(22, "queued"), { "x-github-delivery": null })).status).toBe(400);
	});

	test("a delivery without its event is answered 400", async () => {
		expect((await relay.webhook(payloadOf(22, "queued"), { "x-github-event": null })).status).toBe(400);
	});

	test("a content type other than JSON is answered 415", async () => {
		for (const type of ["application/x-www-form-urlencoded", "text/plain", "application/jsonx"])
			expect((await relay.webhook(payloadOf(22, "queued"), { "content-type": type })).status).toBe(415);
		expect((await relay.webhook(payloadOf(23, "queued"), { "content-type": "application/json; charset=utf-8" })).status).toBe(202);
	});

	test("a body over 1 MiB is answered 413, one just below is read", async () => {
		const padded = (length: number) =>
			JSON.stringify(payloadOf(24, "queued", {}, { padding: "" })).replace('"padding":""', `"padding":"${"x".repeat(length)}"`);
		expect((await relay.webhook(padded(1024 * 1024))).status).toBe(413);
		expect((await relay.webhook(padded(1024 * 1024 - 1000))).status).toBe(202);
	});

	test("a body without a length that never ends is cut off at 1 MiB", async () => {
		let sent = 0;
		const endless = new ReadableStream({
			pull(controller) {
				sent += 65_536;
				// Far more than any buffer between the two ends.
				if (sent > 64 * 1024 * 1024) controller.close();
				else controller.enqueue(new Uint8Array(65_536).fill(0x20));
			},
		});
		const init = { ...delivery("{}"), body: endless, duplex: "half" } as RequestInit;
		const status = await relay.call("/webhook", init).then(
			(response) => response.status,
			// The connection is closed on a sender that does not stop.
			() => 413,
		);
		expect(status).toBe(413);
		expect(sent).toBeLessThan(64 * 1024 * 1024);
	});

	test("a new job beyond MAX_OPEN_JOBS is answered 503, and events of known jobs are still taken", async () => {
		await using full = await relayUnderTest({ MAX_OPEN_JOBS: "1" });
		expect((await full.webhook(payloadOf(1, "queued"))).status).toBe(202);
		expect((await full.lease()).room).toBe(0);
		const refused = delivery(payloadOf(2, "queued"));
		expect(await answer(full.call("/webhook", refused))).toMatchObject([503, { error: "unavailable" }]);
		expect(await answer(full.webhook(payloadOf(1, "completed", { conclusion: "success" })))).toMatchObject([202, { accepted: true }]);
		expect((await full.lease()).room).toBe(1);
		// The refused delivery was not remembered as seen.
		expect(await answer(full.call("/webhook", refused))).toMatchObject([202, { accepted: true }]);
	});
});
