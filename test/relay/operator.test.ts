// What operators call, what anyone may, and what an incomplete configuration closes.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { parseHealth } from "../../contract/health.ts";
import { parseJobList } from "../../contract/job.ts";
import { parseStats } from "../../contract/stats.ts";
import { machineOf } from "./ledger-rows.ts";
import { payloadOf, type RelayUnderTest, relayUnderTest, SECRETS } from "./relay-under-test.ts";

let relay: RelayUnderTest;
beforeAll(async () => {
	relay = await relayUnderTest();
	for (const id of [3, 1, 2]) await relay.webhook(payloadOf(id, "queued"));
	await relay.webhook(payloadOf(1, "in_progress", { runner_name: machineOf(1).runnerName }));
	await relay.webhook(payloadOf(1, "completed", { runner_name: machineOf(1).runnerName, conclusion: "success" }));
	await relay.webhook(payloadOf(1, "completed", { runner_name: machineOf(1).runnerName, conclusion: "success" }));
});
afterAll(() => relay.stop());

async function idsOf(path: string): Promise<number[]> {
	const parsed = parseJobList(await (await relay.operator(path)).json());
	return parsed.ok ? parsed.value.jobs.map(({ id }) => id) : [];
}

describe("jobs", () => {
	test("are listed newest first, by state and up to a limit", async () => {
		expect(await idsOf("/jobs")).toEqual([2, 1, 3]);
		expect(await idsOf("/jobs?limit=1")).toEqual([2]);
		expect(await idsOf("/jobs?state=queued")).toEqual([2, 3]);
		expect(await idsOf("/jobs?state=done&limit=5")).toEqual([1]);
		expect(await idsOf("/jobs?state=dead")).toEqual([]);
	});

	test("an unknown state or limit is answered 400", async () => {
		for (const query of ["state=asleep", "limit=0", "limit=-1", "limit=ten"])
			expect((await relay.operator(`/jobs?${query}`)).status).toBe(400);
	});

	test("one that is not known is answered 404", async () => {
		for (const id of ["99", "0", "abc", "9007199254740993", "%00"]) expect((await relay.operator(`/jobs/${id}`)).status).toBe(404);
	});
});

describe("stats", () => {
	test("count what ran, what waits, deliveries and duplicates", async () => {
		const parsed = parseStats(await (await relay.operator("/stats")).json());
		expect(parsed).toMatchObject({ ok: true, value: { executed: 1, running: 0, queued: 2, deliveries: 6, duplicates: 1 } });
		expect(parsed.ok && parsed.value.queueTimeMs.p50).toBeNumber();
	});

	test("are public if PUBLIC_STATS says so", async () => {
		await using open = await relayUnderTest({ PUBLIC_STATS: "true" });
		expect((await open.call("/stats")).status).toBe(200);
		expect((await open.call("/jobs")).status).toBe(401);
	});
});

describe("switches", () => {
	test("pause holds launches back and tells the poller so, and resuming hands them out", async () => {
		expect(await (await relay.operator("/switches", { pause: true })).json()).toEqual({ pause: true, onDemandOnly: false, drain: false });
		expect(await relay.lease()).toMatchObject({ work: [], budgets: { paused: true } });
		const waiting = relay.lease({ waitSeconds: 25 });
		await Bun.sleep(20);
		await relay.operator("/switches", { pause: false, onDemandOnly: true });
		const { work, budgets } = await waiting;
		expect(work.map(({ workId }) => workId).toSorted()).toEqual(["launch-2", "launch-3"]);
		expect(budgets).toMatchObject({ paused: false, onDemandOnly: true });
		expect(await (await relay.operator("/switches")).json()).toEqual({ pause: false, onDemandOnly: true, drain: false });
	});

	test("drain takes no new job in, so that GitHub records a failure that can be sent again", async () => {
		await relay.operator("/switches", { drain: true });
		expect((await relay.webhook(payloadOf(9, "queued"))).status).toBe(503);
		expect((await relay.webhook(payloadOf(2, "completed", { conclusion: "cancelled" }))).status).toBe(202);
		expect((await relay.lease()).room).toBe(0);
		await relay.operator("/switches", { drain: false });
		expect((await relay.lease()).room).toBeGreaterThan(0);
	});

	test("a change that names no switch is answered 400", async () => {
		for (const change of [{}, { sleep: true }, { pause: "yes" }]) expect((await relay.operator("/switches", change)).status).toBe(400);
	});
});

describe("access", () => {
	test("without the operator's token every operator call is answered 401", async () => {
		for (const path of ["/jobs", "/jobs/1", "/stats", "/switches"]) {
			expect((await relay.call(path)).status).toBe(401);
			expect((await relay.call(path, relay.bearer(SECRETS.POLLER_TOKEN))).status).toBe(401);
		}
		expect((await relay.call("/switches", relay.bearer(SECRETS.POLLER_TOKEN, { pause: true }))).status).toBe(401);
	});

	test("an unknown path is answered 404 and another method 405, as JSON", async () => {
		for (const [path, method, status] of [
			["/", "GET", 404],
			["/nothing", "POST", 404],
			["/webhook", "GET", 405],
			["/lease", "PUT", 405],
			["/jobs", "POST", 405],
			["/jobs/1", "DELETE", 405],
			["/switches", "DELETE", 405],
			["/health", "POST", 405],
		] as const) {
			const said = await relay.call(path, { method });
			expect([path, said.status]).toEqual([path, status]);
			expect(await said.json()).toEqual({ error: expect.any(String), reason: expect.any(String) });
		}
	});

	test("anyone may ask for its health, and learns nothing else", async () => {
		const said = await (await relay.call("/health")).json();
		expect(parseHealth(said).ok).toBeTrue();
		expect(Object.keys(said as object)).toEqual(["ok", "version"]);
	});
});

describe("configuration", () => {
	const broken = {
		"a missing secret": { WEBHOOK_SECRET: "" },
		"a weak secret": { POLLER_TOKEN: "pass-word" },
		"a weak previous secret": { REPORT_KEY_PREVIOUS: "pass-word" },
		"no owners": { OWNERS: " , " },
		"clocks that are none": { CLOCKS: '{"checkAfter":"soon"}' },
	};
	for (const [name, vars] of Object.entries(broken))
		test(`${name} closes every route but /health, and one log line names the variable`, async () => {
			await using closed = await relayUnderTest(vars as Record<string, string>);
			const calls = [
				closed.webhook(payloadOf(1, "queued")),
				closed.operator("/jobs"),
				closed.call("/nothing"),
				closed.call("/lease", { method: "POST" }),
			];
			for (const said of await Promise.all(calls)) expect(said.status).toBe(503);
			expect((await closed.call("/health")).status).toBe(200);
			const [variable] = Object.keys(vars);
			const lines = (await closed.log()).split("\n").filter((line) => line.includes(variable ?? ""));
			expect(lines).toHaveLength(1);
			expect(lines[0]).not.toContain("pass-word");
		});
});
