// A queue that fails: nothing may be acknowledged, and nothing may be remembered as seen.
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { batched } from "../../relay/batch.ts";
import { parseConfig } from "../../relay/config.ts";
import { readRateLimits } from "../../relay/rate-limits.ts";
import { createRoutes } from "../../relay/routes.ts";
import type { QueueCalls } from "../../relay/surroundings.ts";
import { startTimer } from "../../relay/timer.ts";
import { instanceId, machineOf } from "./ledger-rows.ts";
import { delivery, OWNERS, payloadOf, type RelayUnderTest, relayUnderTest, reportToken, SECRETS } from "./relay-under-test.ts";

const queue = new Proxy({} as QueueCalls, {
	get: () => async () => {
		throw new Error(`disk full at row of ${SECRETS.OPERATOR_TOKEN}`);
	},
});

function failing() {
	const log: Record<string, unknown>[] = [];
	const limits = readRateLimits({});
	const keep = (record: Record<string, unknown>) => void log.push(record);
	const surroundings = { queue: () => queue, now: Date.now, log: keep, limits, version: "0" };
	return { app: createRoutes(parseConfig({ ...SECRETS, OWNERS }), surroundings), log };
}

describe("when storage fails", () => {
	const as = (token: string, body?: unknown): RequestInit => ({
		headers: { authorization: `Bearer ${token}` },
		...(body ? { method: "POST", body: JSON.stringify(body) } : {}),
	});
	const report = { version: 1, instanceId: instanceId(1), sequence: 1, phase: "claimed", at: 1, jobId: 1 };
	const calls: [path: string, init: RequestInit][] = [
		["/webhook", delivery(payloadOf(1, "queued"))],
		["/lease", as(SECRETS.POLLER_TOKEN, { session: "s", requestId: "r", max: 1, waitSeconds: 0 })],
		["/settle", as(SECRETS.POLLER_TOKEN, { results: [{ workId: "launch-1", leaseId: "l", outcome: "gone" }] })],
		["/observe", as(SECRETS.POLLER_TOKEN, { jobs: [], runs: [], machines: [] })],
		["/report", as(reportToken(instanceId(1)), report)],
		["/jobs", as(SECRETS.OPERATOR_TOKEN)],
		["/stats", as(SECRETS.OPERATOR_TOKEN)],
		["/switches", as(SECRETS.OPERATOR_TOKEN, { pause: true })],
	];
	for (const [path, init] of calls)
		test(`${path} is answered 503 and says nothing of the failure's inside`, async () => {
			const { app, log } = failing();
			const said = await app.request(path, init);
			expect([said.status, await said.json()]).toEqual([503, { error: "unavailable", reason: "storage failed: nothing was acknowledged" }]);
			expect(log).toHaveLength(1);
		});
});

/** Holds the relay's own database while it runs, so that SQLite refuses every write. */
async function locked<T>({ folder }: RelayUnderTest, during: () => Promise<T>): Promise<T> {
	const files = join(folder, "storage", "mayfly-queue");
	const name = (await readdir(files)).find((it) => it.endsWith(".sqlite") && it !== "metadata.sqlite");
	using database = new Database(join(files, name ?? ""));
	database.run("BEGIN IMMEDIATE");
	try {
		return await during();
	} finally {
		database.run("ROLLBACK");
	}
}

describe("while SQLite refuses to write", () => {
	test("no delivery is answered 202 or remembered, and each is taken when it comes again", async () => {
		await using relay = await relayUnderTest();
		await relay.webhook(payloadOf(1, "queued"));
		const send = () => Promise.all([2, 3, 4].map((id) => relay.webhook(payloadOf(id, "queued"), { "x-github-delivery": `same-${id}` })));
		const end = () => relay.webhook(payloadOf(1, "completed", { conclusion: "cancelled" }), { "x-github-delivery": "end" });
		expect((await locked(relay, send)).map(({ status }) => status)).toEqual([503, 503, 503]);
		expect((await locked(relay, end)).status).toBe(503);
		expect((await relay.job(1)).state).toBe("queued");
		expect((await relay.operator("/jobs/2")).status).toBe(404);
		expect(await Promise.all((await send()).map((said) => said.json()))).toEqual(Array(3).fill({ accepted: true }));
		expect(await (await end()).json()).toEqual({ accepted: true });
		expect((await relay.job(1)).state).toBe("done");
	});

	test("nothing is leased, settled, reported or switched, and each call has its whole effect when it comes again", async () => {
		await using relay = await relayUnderTest();
		await relay.webhook(payloadOf(1, "queued"));
		const asPoller = (path: string, body: unknown) => relay.call(path, relay.bearer(SECRETS.POLLER_TOKEN, body));
		const lease = () => asPoller("/lease", { session: "s", requestId: "same", max: 1, waitSeconds: 0 });
		expect((await locked(relay, lease)).status).toBe(503);
		const { work } = (await (await lease()).json()) as { work: { workId: string; leaseId: string }[] };
		expect(work).toMatchObject([{ workId: "launch-1" }]);
		const settle = () => asPoller("/settle", { results: [{ ...work[0], outcome: "launched", ...machineOf(1) }] });
		expect((await locked(relay, settle)).status).toBe(503);
		expect((await relay.job(1)).state).toBe("queued");
		expect(await (await settle()).json()).toEqual({ settled: { "launch-1": { state: "launched" } }, stale: {} });
		const report = () => relay.report(instanceId(1), { phase: "claimed" });
		expect((await locked(relay, report)).status).toBe(503);
		expect((await relay.job(1)).timings.claimedAt).toBeNull();
		expect((await report()).status).toBe(204);
		expect((await relay.job(1)).timings.claimedAt).toBeNumber();
		const pause = () => relay.operator("/switches", { pause: true });
		expect((await locked(relay, pause)).status).toBe(503);
		expect(await (await relay.operator("/switches")).json()).toMatchObject({ pause: false });
		expect(await (await pause()).json()).toMatchObject({ pause: true });
	});
});

describe("a batch", () => {
	test("is one call for what comes together, each answered its own", async () => {
		const sizes: number[] = [];
		const double = batched((items: number[]) => {
			sizes.push(items.length);
			return items.map((item) => item * 2);
		}, startTimer);
		expect(await Promise.all([double(1), double(2), double(3)])).toEqual([2, 4, 6]);
		expect(sizes).toEqual([3]);
	});

	test("with one bad item fails for that one only", async () => {
		const run = batched((items: number[]) => {
			if (items.includes(2)) throw new Error("two");
			return items;
		}, startTimer);
		const answers = await Promise.allSettled([run(1), run(2), run(3)]);
		expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
	});
});
