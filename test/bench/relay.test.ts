// `bun run bench relay`, with counts so small that its figures say nothing: what it measures and prints, never how much.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

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
	machine: Record<string, unknown>;
	figures: {
		throughput: { subject: string; senders: number; perSecond: number; p50: number; p99: number; cpu: number }[];
		wait: Record<string, number>;
		turnoverMs: number;
		histories: { rows: number; leaseP50: number }[];
	};
	bars: { name: string; value: number; bound: number; least: boolean; kept: boolean }[];
}

describe("the relay's bench", () => {
	test("measures every subject at every number of senders, judges every bar, and keeps the figures", async () => {
		const out = join(folder, "relay.json");
		const { status, stdout, stderr } = await bench("relay", "--rounds", "1", "--requests", "64", "--rows", "1500", "--out", out);
		const { name, machine, figures, bars } = (await Bun.file(out).json()) as Results;
		expect([name, Object.keys(machine).sort()]).toEqual(["relay", ["bun", "cores", "cpu", "memoryGiB", "workerd"]]);
		const measured = figures.throughput.map(({ subject, senders }) => `${subject} ${senders}`);
		const subjects = ["bare", "signature", "object", "relay"];
		expect(measured).toEqual(subjects.flatMap((subject) => [1, 8, 32].map((senders) => `${subject} ${senders}`)));
		const values = [...figures.throughput.flatMap(({ perSecond, p50, p99 }) => [perSecond, p50, p99]), ...Object.values(figures.wait)];
		for (const value of [...values, figures.turnoverMs, ...figures.histories.map(({ leaseP50 }) => leaseP50)])
			expect(value).toBeGreaterThan(0);
		expect(figures.histories.map(({ rows }) => rows)).toEqual([1000, 1500]);
		expect(bars.map(({ bound }) => bound)).toEqual([0.22, 0.7, 1.3, 1.5, 2]);
		for (const { value, bound, least, kept } of bars) expect(kept).toBe(least ? value >= bound : value <= bound);
		expect(status).toBe(bars.every(({ kept }) => kept) ? 0 : 1);
		expect(stdout).toContain("(a) bare hono worker");
		for (const bar of bars) expect(stdout).toContain(bar.name);
		expect(stderr).toContain("throughput: round 1 of 1");
	}, 600_000);

	test("interrupted, it ends its relays, removes its folder and exits with 130", async () => {
		const main = join(import.meta.dir, "..", "..", "bench", "main.ts");
		const env = { ...process.env, TMPDIR: folder };
		const child = Bun.spawn([process.execPath, main, "relay"], { stdout: "ignore", stderr: "pipe", env });
		const relays = () => Array.fromAsync(new Bun.Glob("mayfly-bench-*/relay-*/relay.log").scan({ cwd: folder }));
		while ((await relays()).length === 0) await Bun.sleep(20);
		child.kill("SIGINT");
		expect(await child.exited).toBe(130);
		expect(await new Response(child.stderr).text()).toContain("interrupted");
		expect((await readdir(folder)).filter((name) => name.startsWith("mayfly-bench-"))).toEqual([]);
		const processes = (await readdir("/proc")).filter((name) => /^[0-9]+$/.test(name));
		const folders = await Promise.all(processes.map((pid) => readlink(join("/proc", pid, "cwd")).catch(() => "")));
		expect(folders.filter((cwd) => cwd.startsWith(folder))).toEqual([]);
	}, 180_000);

	const wrong: [name: string, args: string[]][] = [
		["nothing to measure", []],
		["something unknown", ["agents"]],
		["a number that is none", ["relay", "--rounds", "0"]],
		["an option that is none", ["relay", "--fast"]],
	];
	for (const [name, args] of wrong)
		test(`given ${name} it says what to do and exits with 2`, async () => {
			const { status, stdout, stderr } = await bench(...args);
			expect([status, stdout]).toEqual([2, ""]);
			expect(stderr).toContain("try --help");
		});

	test("--help shows how it is called", async () => {
		const { status, stdout } = await bench("--help");
		expect(status).toBe(0);
		expect(stdout).toContain("usage: bun run bench relay");
	});
});
