// How often one caller may call, by the bindings of wrangler.toml.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { parseConfig } from "../../relay/config.ts";
import type { RateLimit } from "../../relay/rate-limits.ts";
import { createRoutes } from "../../relay/routes.ts";
import type { QueueCalls } from "../../relay/surroundings.ts";
import { instanceId } from "./ledger-rows.ts";
import { delivery, OWNERS, payloadOf, type RelayUnderTest, relayUnderTest, reportToken, SECRETS } from "./relay-under-test.ts";

const from = (address: string) => ({ "cf-connecting-ip": address });

/** Calls until the answer is 429; more than two windows of a limit hold are enough for any moment to begin at. */
async function untilSlowedDown(call: () => Promise<Response>): Promise<Response> {
	for (let tried = 0; tried < 250; tried++) {
		const said = await call();
		if (said.status === 429) return said;
		expect(said.status).toBe(401);
		await said.arrayBuffer();
	}
	throw new Error("never slowed down");
}

describe("in workerd", () => {
	let relay: RelayUnderTest;
	beforeAll(async () => {
		relay = await relayUnderTest();
	});
	afterAll(() => relay.stop());

	test("an address that sends unsigned webhooks is told to wait, one whose signature holds is not", async () => {
		const forged = () => relay.webhook(payloadOf(1, "queued"), { "x-hub-signature-256": null, ...from("203.0.113.7") });
		const said = await untilSlowedDown(forged);
		expect(said.headers.get("retry-after")).toBe("60");
		expect(await said.json()).toEqual({ error: "too many requests", reason: "too many calls without a valid credential" });
		for (let id = 1; id <= 150; id++) expect((await relay.webhook(payloadOf(id, "queued"), from("203.0.113.7"))).status).toBe(202);
		expect((await relay.webhook(payloadOf(1, "queued"), { "x-hub-signature-256": null, ...from("203.0.113.8") })).status).toBe(401);
	});

	test("an address that guesses tokens is told to wait on every route, and a caller with the token beside it is not", async () => {
		const guess = (path: string) => relay.call(path, { headers: { authorization: "Bearer guess", ...from("203.0.113.9") } });
		await untilSlowedDown(() => guess("/jobs"));
		expect((await guess("/stats")).status).toBe(429);
		expect((await relay.call("/report", { method: "POST", headers: from("203.0.113.9") })).status).toBe(429);
		const known = await relay.call("/jobs", { headers: { authorization: `Bearer ${SECRETS.OPERATOR_TOKEN}`, ...from("203.0.113.9") } });
		expect(known.status).toBe(200);
	});
});

describe("a limit that is reached", () => {
	const reached: RateLimit = { limit: async () => ({ success: false }) };
	const broken: RateLimit = {
		limit: async () => {
			throw new Error("the counter is gone");
		},
	};
	const queue = new Proxy({} as QueueCalls, { get: (_, name) => async () => (name === "receive" ? "accepted" : { work: [] }) });
	const routes = (limit: RateLimit, vars = {}) =>
		createRoutes(parseConfig({ ...SECRETS, OWNERS, ...vars }), {
			...{ queue: () => queue, now: Date.now, log: () => undefined, version: "0" },
			limits: { refused: limit, callers: limit, machines: limit },
		});
	const as = (token: string, body?: unknown): RequestInit => ({
		headers: { authorization: `Bearer ${token}` },
		...(body ? { method: "POST", body: JSON.stringify(body) } : {}),
	});
	const lease = as(SECRETS.POLLER_TOKEN, { session: "s", requestId: "r", max: 1, waitSeconds: 0 });
	const report = { version: 1, instanceId: instanceId(1), sequence: 1, phase: "claimed", at: 1, jobId: 1 };

	test("is 429 with the time to wait for the poller, the operator, a machine and a reader of public stats", async () => {
		const said = await Promise.all([
			routes(reached).request("/lease", lease),
			routes(reached).request("/jobs", as(SECRETS.OPERATOR_TOKEN)),
			routes(reached).request("/report", as(reportToken(instanceId(1)), report)),
			routes(reached, { PUBLIC_STATS: "true" }).request("/stats", { headers: from("203.0.113.1") }),
		]);
		for (const answer of said) expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "60"]);
	});

	test("is never one for a webhook whose signature holds", async () => {
		const sent = delivery(payloadOf(1, "queued"), from("203.0.113.1"));
		expect((await routes(reached).request("/webhook", sent)).status).toBe(202);
	});

	test("that cannot be counted closes no door", async () => {
		expect((await routes(broken).request("/lease", lease)).status).toBe(200);
		expect((await routes(broken).request("/jobs", { headers: from("203.0.113.1") })).status).toBe(401);
	});
});
