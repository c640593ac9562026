// POST /report through the front door: a machine is believed about its own timings, and about nothing else.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { instanceId, machineOf } from "./ledger-rows.ts";
import { payloadOf, type RelayUnderTest, relayUnderTest, reportToken, SECRETS } from "./relay-under-test.ts";

const PREVIOUS = "report-key-of-before-0123456789abcdef";
let relay: RelayUnderTest;
beforeAll(async () => {
	relay = await relayUnderTest({ REPORT_KEY_PREVIOUS: PREVIOUS });
});
afterAll(() => relay.stop());

async function launched(n: number): Promise<void> {
	await relay.webhook(payloadOf(n, "queued"));
	const item = (await relay.lease()).work.find(({ workId }) => workId === `launch-${n}`);
	await relay.settle({ workId: item?.workId, leaseId: item?.leaseId, outcome: "launched", ...machineOf(n) });
}

describe("report", () => {
	test("is answered 204 with nothing, and fills the timings of the machine's job", async () => {
		await launched(1);
		const at = Date.now();
		await Bun.sleep(20);
		const phases = ["claimed", "listening", "running", "finished", "off"];
		for (const [n, phase] of phases.entries()) {
			const said = await relay.report(instanceId(1), { sequence: n + 1, phase, at: at + n });
			expect([said.status, await said.text()]).toEqual([204, ""]);
		}
		const { timings, state } = await relay.job(1);
		expect(timings).toMatchObject({ claimedAt: at, listeningAt: at + 1, startedAt: at + 2, finishedAt: at + 3, offAt: at + 4 });
		expect(state).toBe("launched");
	});

	test("with a clock that is behind shows no stage before the one it follows", async () => {
		await launched(9);
		await relay.report(instanceId(9), { sequence: 1, phase: "claimed", at: Date.now() - 60_000 });
		const { receivedAt, launchedAt, claimedAt } = (await relay.job(9)).timings;
		expect(claimedAt).toBe(launchedAt);
		expect(launchedAt).toBeGreaterThanOrEqual(receivedAt ?? Number.POSITIVE_INFINITY);
	});

	test("that the machine is gone brings the next check forward, and one that it listens does not", async () => {
		await launched(2);
		const before = (await relay.job(2)).nextCheckAt ?? 0;
		await relay.report(instanceId(2), { sequence: 1, phase: "listening" });
		const pushed = (await relay.job(2)).nextCheckAt ?? 0;
		expect(pushed).toBeGreaterThanOrEqual(before);
		await relay.report(instanceId(2), { sequence: 2, phase: "idle" });
		expect((await relay.job(2)).nextCheckAt ?? 0).toBeLessThan(pushed);
	});

	test("of a machine that speaks before its launch was settled is not lost", async () => {
		await relay.webhook(payloadOf(3, "queued"));
		const item = (await relay.lease()).work.find(({ workId }) => workId === "launch-3");
		const lease = { workId: item?.workId, leaseId: item?.leaseId };
		await relay.settle({ ...lease, outcome: "launching", token: "t-3", members: [3], request: {} });
		const at = Date.now();
		await Bun.sleep(20);
		await relay.report(instanceId(3), { jobId: 3, at });
		await relay.settle({ ...lease, outcome: "launched", ...machineOf(3) });
		expect((await relay.job(3)).timings).toMatchObject({ claimedAt: at, launchedAt: at });
	});

	test("of a machine nobody knows is taken and dropped", async () => {
		expect((await relay.report(instanceId(77), { jobId: 77 })).status).toBe(204);
	});

	test("an interruption that a machine reports has its failed job's run rerun", async () => {
		await launched(4);
		await relay.webhook(payloadOf(4, "in_progress", { runner_name: machineOf(4).runnerName }));
		await relay.report(instanceId(4), { sequence: 1, phase: "interrupted" });
		await relay.webhook(payloadOf(4, "completed", { runner_name: machineOf(4).runnerName, conclusion: "failure" }));
		expect((await relay.lease()).work.map(({ workId }) => workId)).toContain("rerun-4004");
	});

	test("a token made with the previous key still holds", async () => {
		expect((await relay.report(instanceId(5), {}, reportToken(instanceId(5), 60, PREVIOUS))).status).toBe(204);
	});
});

describe("report refusals", () => {
	const id = instanceId(50);
	const tokens = {
		"an expired token": reportToken(id, -1),
		"a token of another machine": reportToken(instanceId(51)),
		"a forged token": reportToken(id, 3600, "another-key-0123456789abcdef0123456"),
		"a token with a longer life written in": reportToken(id).replace(/\.[0-9]+\./, ".9999999999."),
		"no token": "",
		"the poller's token": SECRETS.POLLER_TOKEN,
	};
	for (const [name, token] of Object.entries(tokens))
		test(`${name} is answered 401`, async () => {
			expect((await relay.report(id, {}, token)).status).toBe(401);
		});

	test("a report that is not the schema is answered 400", async () => {
		for (const more of [{ phase: "asleep" }, { version: 2 }, { sequence: 0 }, { jobId: "1" }])
			expect((await relay.report(id, more)).status).toBe(400);
		expect((await relay.call("/report", relay.bearer(reportToken(id), "not json"))).status).toBe(400);
	});

	test("a report over 64 KiB is answered 413", async () => {
		expect((await relay.report(id, { measurements: { a: "x".repeat(65_536) } })).status).toBe(413);
	});

	test("a machine that reports without end is answered 429", async () => {
		const statuses = new Set<number>();
		for (let sequence = 1; sequence <= 200; sequence++) statuses.add((await relay.report(instanceId(52), { sequence })).status);
		expect([...statuses]).toEqual([204, 429]);
	});
});
