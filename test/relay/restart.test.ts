// A relay that is killed and started again on its storage, and the bundle it is started from.
import { describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildRelay } from "../../build/relay.ts";
import { machineOf } from "./ledger-rows.ts";
import { builtRelay, delivery, payloadOf, relayUnderTest } from "./relay-under-test.ts";

describe("restart", () => {
	test("a job that was answered 202 survives SIGKILL, at the same URL, and its replay is still known", async () => {
		await using relay = await relayUnderTest();
		const url = relay.url();
		const sent = delivery(payloadOf(1, "queued"));
		expect((await relay.call("/webhook", sent)).status).toBe(202);
		await relay.kill("SIGKILL");
		await relay.restart();
		expect(relay.url()).toBe(url);
		expect((await relay.job(1)).state).toBe("queued");
		expect(await (await relay.call("/webhook", sent)).json()).toEqual({ accepted: false, reason: "duplicate delivery" });
		expect((await relay.lease()).work).toHaveLength(1);
	});

	test("a kill at any moment under eight senders loses no acknowledged job and doubles none", async () => {
		await using relay = await relayUnderTest();
		const acknowledged = new Set<number>();
		let next = 0;
		for (let round = 0; round < 3; round++) {
			let isOver = false;
			const sender = async () => {
				while (!isOver) {
					const id = ++next;
					const said = await relay.webhook(payloadOf(id, "queued")).catch(() => null);
					if (said?.status === 202) acknowledged.add(id);
				}
			};
			const senders = Array.from({ length: 8 }, sender);
			const enough = acknowledged.size + 60;
			while (acknowledged.size < enough) await Bun.sleep(1);
			await relay.kill("SIGKILL");
			isOver = true;
			await Promise.all(senders);
			await relay.restart();
		}
		const { jobs } = (await (await relay.operator("/jobs?limit=1000")).json()) as { jobs: { id: number }[] };
		const stored = jobs.map(({ id }) => id);
		expect(new Set(stored).size).toBe(stored.length);
		expect([...acknowledged].filter((id) => !stored.includes(id))).toEqual([]);
	});

	test("an intent written before the kill is replayed verbatim after it, and the lost answer is given again", async () => {
		await using relay = await relayUnderTest({ CLOCKS: JSON.stringify({ lease: 50 }) });
		await relay.webhook(payloadOf(1, "queued"));
		const first = await relay.lease({ requestId: "lost" });
		const { workId, leaseId } = first.work[0] ?? {};
		const intent = { token: "token-1", members: [1], request: { b: [1, { c: null }], a: "x" } };
		await relay.settle({ workId, leaseId, outcome: "launching", ...intent });
		await relay.kill("SIGKILL");
		await relay.restart();
		expect(await relay.lease({ requestId: "lost" })).toEqual(first);
		const again = await relay.lease({ waitSeconds: 10 });
		expect(again.work[0]).toMatchObject({ kind: "launch", workId: "launch-1", intent });
		expect(again.work[0]?.leaseId).not.toBe(leaseId);
		// The poller that was thought dead settles late: its machine is the job's, and the replay of the other is stale.
		await relay.settle({ workId, leaseId, outcome: "launched", ...machineOf(1) });
		expect(await relay.job(1)).toMatchObject({ state: "launched", machine: { instanceId: machineOf(1).instanceId } });
	});
});

describe("bundle", () => {
	test("two builds give the same bytes, without a path of this machine or a source map", async () => {
		const folder = await mkdtemp(join(tmpdir(), "mayfly-build-"));
		await buildRelay(join(folder, "relay.js"));
		const [one, other] = await Promise.all([readFile(await builtRelay(), "utf8"), readFile(join(folder, "relay.js"), "utf8")]);
		expect(other === one).toBeTrue();
		for (const foreign of [join(import.meta.dir, "..", ".."), tmpdir(), "sourceMappingURL"]) expect(one).not.toContain(foreign);
		await rm(folder, { recursive: true });
	});
});
