// A queue that fails: nothing may be acknowledged, and nothing may be remembered as seen.
import { describe, expect, test } from "bun:test";
import { batched } from "../../relay/batch.ts";
import { parseConfig } from "../../relay/config.ts";
import { readRateLimits } from "../../relay/rate-limits.ts";
import { createRoutes } from "../../relay/routes.ts";
import type { QueueCalls } from "../../relay/surroundings.ts";
import { instanceId } from "./ledger-rows.ts";
import { delivery, OWNERS, payloadOf, reportToken, SECRETS } from "./relay-under-test.ts";

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

describe("a batch", () => {
	test("is one call for what comes together, each answered its own", async () => {
		const sizes: number[] = [];
		const double = batched((items: number[]) => {
			sizes.push(items.length);
			return items.map((item) => item * 2);
		});
		expect(await Promise.all([double(1), double(2), double(3)])).toEqual([2, 4, 6]);
		expect(sizes).toEqual([3]);
	});

	test("with one bad item fails for that one only", async () => {
		const run = batched((items: number[]) => {
			if (items.includes(2)) throw new Error("two");
			return items;
		});
		const answers = await Promise.allSettled([run(1), run(2), run(3)]);
		expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
	});
});
