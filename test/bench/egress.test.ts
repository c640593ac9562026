// `bun run bench egress`, so small that its figures say nothing: what it measures and prints, never how much.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

let folder: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "mayfly-bench-test-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Way = Record<"gbitPerSecond" | "haproxySecondsPerGib" | "connectMs" | "connectP99Ms", number>;
interface Results {
	name: string;
	figures: { rounds: number; mib: number; forwarded: Way; gateway: Way; throughputRatio: number; connectRatio: number };
	bars: { value: number; bound: number; kept: boolean }[];
}

describe("the egress bench", () => {
	test("measures both ways, each by its own, judges their ratio and keeps the figures", async () => {
		const out = join(folder, "egress.json");
		const main = join(import.meta.dir, "..", "..", "bench", "main.ts");
		const args = ["egress", "--rounds", "2", "--mib", "256", "--connections", "3", "--out", out];
		const child = Bun.spawn([process.execPath, main, ...args], { stdout: "pipe", stderr: "pipe" });
		const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
		const status = await child.exited;
		const { name, figures, bars } = (await Bun.file(out).json()) as Results;
		expect([name, figures.rounds, figures.mib]).toEqual(["egress", 2, 256]);
		for (const way of [figures.forwarded, figures.gateway])
			for (const figure of ["gbitPerSecond", "connectMs", "connectP99Ms"] as const) expect(way[figure]).toBeGreaterThan(0);
		// What is only forwarded is none of HAProxy's.
		expect(figures.forwarded.haproxySecondsPerGib).toBeLessThan(figures.gateway.haproxySecondsPerGib);
		expect(bars).toMatchObject([{ value: figures.throughputRatio, bound: 0.5 }]);
		for (const { value, bound, kept } of bars) expect(kept).toBe(value >= bound);
		expect(status).toBe(bars.every(({ kept }) => kept) ? 0 : 1);
		expect(stdout).toContain("HAProxy s/GiB");
		expect(stderr).toContain("round 2 of 2: forwarded ");
	}, 120_000);
});
