// What the relay prints: one line of JSON for each decision, with the job and the delivery that it is about.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { instanceId, machineOf } from "./ledger-rows.ts";
import { payloadOf, type RelayUnderTest, relayUnderTest } from "./relay-under-test.ts";

type Line = Record<string, unknown>;

let relay: RelayUnderTest;
beforeAll(async () => {
	relay = await relayUnderTest();
});
afterAll(() => relay.stop());

/** The lines that something printed; the pipe may be a moment behind the answer. */
async function printed(count: number, act: () => Promise<unknown>): Promise<Line[]> {
	const before = (await relay.log()).length;
	await act();
	for (;;) {
		const lines = (await relay.log()).slice(before).split("\n").slice(0, -1);
		if (lines.length >= count) return lines.map((line) => JSON.parse(line) as Line);
		await Bun.sleep(10);
	}
}

describe("one line is printed", () => {
	const { runnerName } = machineOf(1);
	let item: { workId: string; leaseId: string };

	test("for a delivery that moved a job", async () => {
		const [line, ...more] = await printed(1, () => relay.webhook(payloadOf(1, "queued"), { "x-github-delivery": "first" }));
		expect(line).toMatchObject({ at: "job", job: 1, run: 4001, repository: "octo-org/octo-repo", from: null, to: "queued" });
		expect(line).toMatchObject({ delivery: "first", cause: "webhook", action: "queued", status: "queued", when: expect.any(Number) });
		expect(more).toEqual([]);
	});

	test("for a delivery that changed nothing, with why", async () => {
		const again = () => relay.webhook(payloadOf(1, "queued"), { "x-github-delivery": "first" });
		expect(await printed(1, again)).toMatchObject([{ at: "webhook", delivery: "first", job: 1, receipt: "duplicate" }]);
		const stranger = payloadOf(9, "queued", {}, { repository: { full_name: "evil/repo", owner: { login: "evil" } } });
		const declined = { at: "webhook", delivery: "other", accepted: false, reason: "owner evil is not served" };
		expect(await printed(1, () => relay.webhook(stranger, { "x-github-delivery": "other" }))).toEqual([declined]);
		const broken = () => relay.webhook(payloadOf(9, "queued", { id: "x" }), { "x-github-delivery": "broken" });
		expect(await printed(1, broken)).toMatchObject([{ at: "webhook", delivery: "broken", accepted: false, status: 400 }]);
	});

	test("for an item that was handed out, and none for a lease without work", async () => {
		const lines = await printed(1, async () => {
			const { work } = await relay.lease();
			item = { workId: work[0]?.workId ?? "", leaseId: work[0]?.leaseId ?? "" };
			await relay.lease();
		});
		expect(lines).toEqual([{ at: "lease", kind: "launch", job: 1, work: "launch-1", lease: item.leaseId, session: "s" }]);
	});

	test("for a settle and for the state it brought, with the delivery that began it", async () => {
		const [settle, job] = await printed(2, () => relay.settle({ ...item, outcome: "launched", ...machineOf(1) }));
		expect(settle).toEqual({ at: "settle", job: 1, work: "launch-1", lease: item.leaseId, outcome: "launched" });
		expect(job).toMatchObject({
			at: "job",
			job: 1,
			from: "queued",
			to: "launched",
			delivery: "first",
			instance: instanceId(1),
			cause: "settle",
		});
		const stale = () => relay.settle({ ...item, leaseId: "old", outcome: "extend" });
		expect(await printed(1, stale)).toMatchObject([{ at: "settle", job: 1, outcome: "extend", stale: "another lease" }]);
	});

	test("for a report", async () => {
		const report = () => relay.report(instanceId(1), { phase: "claimed", jobId: 1 });
		const expected = { at: "report", instance: instanceId(1), job: 1, phase: "claimed", sequence: 1, taken: true };
		expect(await printed(1, report)).toEqual([expected]);
	});

	test("for a machine that must end", async () => {
		const machine = { instanceId: instanceId(7), state: "running", launchedAt: 0, stateReason: null, privateIp: null };
		expect(await printed(1, () => relay.observe({ machines: [machine] }))).toMatchObject([
			{ at: "observe", instanceId: instanceId(7), verdict: "terminate", reason: "older than its hard limit" },
		]);
	});

	test("for switches that were turned", async () => {
		const line = { at: "switches", pause: false, onDemandOnly: true, drain: false };
		expect(await printed(1, () => relay.operator("/switches", { onDemandOnly: true }))).toEqual([line]);
	});

	test("for each state to the end", async () => {
		const lines = await printed(2, async () => {
			await relay.webhook(payloadOf(1, "in_progress", { runner_name: runnerName }), { "x-github-delivery": "second" });
			await relay.webhook(payloadOf(1, "completed", { runner_name: runnerName, conclusion: "success" }), { "x-github-delivery": "third" });
		});
		expect(lines).toMatchObject([
			{ at: "job", job: 1, from: "launched", to: "running", delivery: "second" },
			{ at: "job", job: 1, from: "running", to: "done", delivery: "third", reason: "GitHub completed it: success" },
		]);
		expect(lines).toHaveLength(2);
	});
});
