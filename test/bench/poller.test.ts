// `bun run bench poller`, so small that its figures say nothing: what it measures and prints, never how much.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FLOOR_MS, LEGS } from "../../bench/poller/latencies.ts";
import { monthlyCost } from "../../bench/poller/monthly-cost.ts";

let folder: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "mayfly-bench-test-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function bench(...args: string[]) {
	const main = join(import.meta.dir, "..", "..", "bench", "main.ts");
	const child = Bun.spawn([process.execPath, main, ...args], { stdout: "pipe", stderr: "pipe" });
	const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
	return { status: await child.exited, stdout, stderr };
}

interface Results {
	name: string;
	figures: {
		floorMs: number;
		bursts: {
			jobs: number;
			labels: number;
			first: number;
			median: number;
			last: number;
			longestWait: number;
			calls: Record<string, number>;
		}[];
		sizes: unknown[];
	};
	bars: { name: string; value: number; bound: number; least: boolean; kept: boolean }[];
}

describe("the poller's bench", () => {
	test("measures a burst from its webhooks to its documents, counts its calls, judges it and keeps the figures", async () => {
		const out = join(folder, "poller.json");
		const { status, stdout, stderr } = await bench("poller", "--rounds", "1", "--jobs", "1,3", "--sizes", "", "--out", out);
		const { name, figures, bars } = (await Bun.file(out).json()) as Results;
		expect(name).toBe("poller");
		expect(figures.floorMs).toBe(FLOOR_MS);
		expect(figures.bursts.map(({ jobs, labels }) => [jobs, labels])).toEqual([
			[1, 1],
			[3, 1],
		]);
		for (const { jobs, first, median, last, longestWait, calls } of figures.bursts) {
			// No poller is faster than the calls that it must wait for.
			expect(first).toBeGreaterThanOrEqual(FLOOR_MS);
			expect(median).toBeGreaterThanOrEqual(first);
			expect(last).toBeGreaterThanOrEqual(median);
			expect(longestWait).toBeGreaterThan(0);
			expect(calls).toMatchObject({ documents: jobs, githubChanges: jobs });
			expect(calls.createFleet).toBeGreaterThanOrEqual(1);
		}
		for (const { value, bound, least, kept } of bars) expect(kept).toBe(least ? value >= bound : value <= bound);
		expect(status).toBe(bars.every(({ kept }) => kept) ? 0 : 1);
		for (const [what] of LEGS) expect(stdout).toContain(what);
		expect(stderr).toContain("3 jobs, 1 labels: round 1 of 1");
	}, 120_000);

	test("adds up what a function costs that always runs", () => {
		// 0.5 GB for 2,628,000 s at 13.3334 millionths of a dollar, and 43,800 calls.
		expect(monthlyCost(512)).toBeCloseTo(17.53, 2);
		expect(monthlyCost(1024) / monthlyCost(128)).toBeCloseTo(8, 1);
	});

	for (const [name, args] of [
		["jobs that are none", ["poller", "--jobs", "1,x"]],
		["a size that is none", ["poller", "--sizes", "0"]],
		["two parts at once", ["poller", "relay"]],
	] as const)
		test(`given ${name} it says what to do and exits with 2`, async () => {
			const { status, stdout, stderr } = await bench(...args);
			expect([status, stdout]).toEqual([2, ""]);
			expect(stderr).toContain("try --help");
		});
});
