// What is handed out under a budget, and what becomes of machines and of the jobs that count on them.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { DEFAULT_CLOCKS as clocks, JIT_CALLS_A_MINUTE } from "../../relay/clocks.ts";
import { nextWorkAt } from "../../relay/hand-out.ts";
import { instanceId, machineOf } from "./ledger-rows.ts";
import { type Ledger, leaseOf, ledger, reach } from "./ledger-under-test.ts";

describe("budgets", () => {
	test("no more launches are handed out than JIT calls can be paid for", () => {
		const it = ledger();
		for (let id = 1; id <= 250; id++) it.hear(id, "queued");
		expect([it.lease().length, it.lease().length, it.lease().length]).toEqual([100, JIT_CALLS_A_MINUTE - 100, 0]);
		const next = nextWorkAt(it.queue, it.now()) ?? 0;
		expect(next).toBeGreaterThan(it.now() + 55_000);
		it.wait(next - it.now() - 1);
		// What was leased first is leased again by then, and no launch that is not paid for.
		expect(it.lease().filter(({ kind }) => kind === "launch")).toHaveLength(0);
		it.wait(1);
		expect(it.lease()).toHaveLength(100);
	});

	test("in any minute no more than GitHub allows are handed out, however they are asked for", () => {
		const asked = fc.array(fc.record({ max: fc.integer({ min: 1, max: 100 }), pause: fc.nat(20_000) }), { minLength: 5, maxLength: 40 });
		const run = (asks: { max: number; pause: number }[]) => {
			const it = ledger();
			for (let id = 1; id <= 900; id++) it.hear(id, "queued");
			const given: { at: number; count: number }[] = [];
			for (const { max, pause } of asks) {
				it.wait(pause);
				given.push({ at: it.now(), count: it.lease(max).length });
			}
			for (const { at } of given) {
				const within = given.filter((other) => other.at >= at && other.at < at + 60_000);
				expect(within.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(JIT_CALLS_A_MINUTE);
			}
		};
		fc.assert(fc.property(asked, run), { numRuns: 30 });
	});
});

describe("machines", () => {
	const fact = (it: Ledger, n: number, state: "running" | "terminated" = "running", age = 0) => ({
		...{ instanceId: instanceId(n), state, launchedAt: it.now() - age, stateReason: null, privateIp: null, token: null },
	});

	test("the machine of a job that has ended is terminated if it does not switch itself off", () => {
		const it = reach("done");
		expect(it.observe({ machines: [fact(it, 1)] }).machines).toMatchObject([{ verdict: "keep" }]);
		it.wait(clocks.offAfter + 1);
		expect(it.observe({ machines: [fact(it, 1)] }).machines).toMatchObject([{ verdict: "terminate", force: false }]);
	});

	test("one that no settle named stays while a job waits for the launch that made it, however long the poller is away", () => {
		const it = reach("launching");
		const nobodys = () => it.observe({ machines: [{ ...fact(it, 1, "running", clocks.adoptAfter + 1), token: "t-1" }] }).machines;
		expect(nobodys()).toMatchObject([{ verdict: "keep", reason: "job 1 waits for its launch" }]);
		expect(it.observe({ machines: [{ ...fact(it, 1, "running", clocks.adoptAfter + 1), token: "t-2" }] }).machines).toMatchObject([
			{ verdict: "terminate" },
		]);
		it.hear(1, "completed", { conclusion: "cancelled" });
		expect(nobodys()).toMatchObject([{ verdict: "terminate", reason: "no job owns it" }]);
	});

	test.each([
		["of a launch that no job waits for any more stays for a settle that is on its way", "t-2", clocks.leftAfter],
		["of which the launch is not known stays for longer", null, clocks.adoptAfter],
	])("one %s", (_, token, stays) => {
		const it = reach("launching");
		const verdictAt = (age: number) => it.observe({ machines: [{ ...fact(it, 1, "running", age), token }] }).machines[0]?.verdict;
		expect([verdictAt(stays), verdictAt(stays + 1)]).toEqual(["keep", "terminate"]);
	});

	test("one older than the hard limit is terminated whatever it runs", () => {
		const it = reach("running");
		expect(it.observe({ machines: [fact(it, 1, "running", clocks.hardLimit + 1)] }).machines).toMatchObject([
			{ verdict: "terminate", force: true },
		]);
	});

	test("the end of a machine brings its job's next check forward once, by EC2's word or by its absence", () => {
		for (const facts of [{ machines: [] as never[], complete: true }, null]) {
			const it = reach("running");
			it.wait(clocks.absentAfter + 1);
			const gone = facts ?? { machines: [fact(it, 1, "terminated")] };
			it.observe(gone);
			const dueAt = it.now() + clocks.goneCheckAfter;
			expect(it.queue.job(1)?.dueAt).toBe(dueAt);
			it.wait(1000);
			it.observe(gone);
			expect(it.queue.job(1)?.dueAt).toBe(dueAt);
		}
	});

	test("an incomplete list says nothing of the machines it leaves out", () => {
		const it = reach("running");
		it.wait(clocks.absentAfter + 1);
		const before = it.queue.job(1);
		it.observe({ machines: [], complete: false });
		expect(it.queue.job(1)).toEqual(before);
	});

	test("the end of a second machine leaves the job and its own machine alone", () => {
		const it = reach("queued");
		const lease = leaseOf(it, 1);
		it.settle({ ...lease, outcome: "launched", ...machineOf(1) });
		it.settle({ ...lease, leaseId: "late", outcome: "launched", ...machineOf(2) });
		const [end] = it.lease();
		it.settle({ workId: end?.workId ?? "", leaseId: end?.leaseId ?? "", outcome: "terminated" });
		expect(it.queue.job(1)).toMatchObject({ state: "launched", seat: { key: instanceId(1) } });
		expect(it.lease()).toEqual([]);
	});
});
