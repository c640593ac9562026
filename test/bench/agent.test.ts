// `bun run bench agent`, so small that its figures say nothing: what it measures and prints, never how much.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

let folder: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "mayfly-bench-test-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Results {
	name: string;
	figures: Record<string, number> & Record<"agent" | "script", Record<"toRequestMs" | "toRunnerMs" | "totalMs", number>>;
	bars: { name: string; value: number; bound: number; kept: boolean }[];
}

describe("the agent's bench", () => {
	test("measures boots of the agent and of what it is compared with, judges them and keeps the figures", async () => {
		const out = join(folder, "agent.json");
		const main = join(import.meta.dir, "..", "..", "bench", "main.ts");
		const args = ["agent", "--boots", "2", "--job-seconds", "1", "--out", out];
		const child = Bun.spawn([process.execPath, main, ...args], { env: { ...process.env, TMPDIR: folder }, stdout: "pipe", stderr: "pipe" });
		const [stdout, status] = await Promise.all([new Response(child.stdout).text(), child.exited]);
		const { name, figures, bars } = (await Bun.file(out).json()) as Results;
		expect(name).toBe("agent");
		for (const { toRequestMs, toRunnerMs, totalMs } of [figures.agent, figures.script]) {
			expect(toRequestMs).toBeGreaterThan(0);
			expect(toRunnerMs).toBeGreaterThan(0);
			// The one comes after the other, and something between them.
			expect(totalMs).toBeGreaterThan(toRequestMs + toRunnerMs);
		}
		for (const figure of ["emptyMs", "rssMib", "binaryMib"]) expect(figures[figure]).toBeGreaterThan(0);
		expect(bars).toHaveLength(4);
		for (const { value, bound, kept } of bars) expect(kept).toBe(value <= bound);
		expect(status).toBe(bars.every(({ kept }) => kept) ? 0 : 1);
		expect(stdout).toContain("bash, curl, jq");
	}, 120_000);
});
