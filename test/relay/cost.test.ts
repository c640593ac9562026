// What a job costs in rows written: the free plan has 100,000 a day, so that 20 a job make 5,000 jobs.
import { expect, test } from "bun:test";
import { parseStartList } from "../../contract/start.ts";
import { parseStats } from "../../contract/stats.ts";
import { machineOf } from "./ledger-rows.ts";
import { payloadOf, type RelayUnderTest, relayUnderTest } from "./relay-under-test.ts";

const JOBS = 12;

async function statsOf(relay: RelayUnderTest) {
	const read = parseStats(await (await relay.operator("/stats")).json());
	if (!read.ok) throw new Error(read.reason);
	return read.value;
}

/** One job by itself, from its webhook to its machine's last word: nothing is shared with another job. */
async function live(relay: RelayUnderTest, id: number): Promise<void> {
	const { runnerName, instanceId } = machineOf(id);
	await relay.webhook(payloadOf(id, "queued"));
	const { work } = await relay.lease();
	const { workId, leaseId } = work.find((item) => item.workId === `launch-${id}`) ?? {};
	await relay.settle({ workId, leaseId, outcome: "launching", token: `token-${id}`, members: [id], request: { id } });
	await relay.settle({ workId, leaseId, outcome: "launched", ...machineOf(id) });
	const measurements = { version: "0.1.0", arch: "arm64", bootMs: 5200 };
	for (const [at, phase] of ["claimed", "listening", "running"].entries())
		await relay.report(instanceId, { sequence: at + 1, phase, jobId: id, measurements });
	await relay.webhook(payloadOf(id, "in_progress", { runner_name: runnerName }));
	await relay.webhook(payloadOf(id, "completed", { runner_name: runnerName, conclusion: "success" }));
	for (const [at, phase] of ["finished", "off"].entries()) await relay.report(instanceId, { sequence: at + 4, phase, jobId: id });
}

test("a job's whole life writes at most 20 rows, indexes, alarms and pruning counted, and its start is remembered", async () => {
	const CLOCKS = JSON.stringify({ keep: 1, keepIntents: 1, keepStarts: 1, housekeeping: 3000 });
	await using relay = await relayUnderTest({ CLOCKS });
	const before = await statsOf(relay);
	for (let id = 1; id <= JOBS; id++) await live(relay, id);
	const starts = parseStartList(await (await relay.operator("/starts?limit=5")).json());
	expect(starts.ok && starts.value.starts).toHaveLength(5);
	expect(starts.ok && starts.value.starts[0]).toMatchObject({
		...{ jobId: JOBS, org: "octo-org", instanceType: "m8g.large", zone: "eu-west-1a", measurements: { arch: "arm64", bootMs: 5200 } },
	});
	while ((await (await relay.operator("/jobs")).json()).jobs.length > 0) await Bun.sleep(50);
	const after = await statsOf(relay);
	expect(after).toMatchObject({ executed: JOBS, deliveries: 3 * JOBS });
	expect((after.rowsWritten - before.rowsWritten) / JOBS).toBeLessThanOrEqual(20);
}, 60_000);
