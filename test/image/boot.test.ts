// The image as it ships, built here and booted in QEMU: one job from its webhook to the machine's own power-off, then everything that can go wrong in a
// machine. Seconds say little where nothing is accelerated: limits are those of production's own settings, set shorter.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FAULTS, type FaultName } from "../../ami/boot/faults.ts";
import type { Verdict } from "../../ami/boot/judge.ts";
import type { Seen } from "../../ami/boot/scene.ts";

const MAIN = join(import.meta.dir, "..", "..", "ami", "main.ts");
const BUILD_MS = 1_200_000;
const BOOT_MS = 900_000;
let folder: string;
let image: string;
/** What each boot without firmware had read until its first request: counts that no acceleration changes (docs/benchmarks.md). */
const read: { reads: number; bytes: number }[] = [];
const medianOf = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

async function command<T>(...args: string[]): Promise<{ status: number; told: T; stderr: string }> {
	const child = Bun.spawn([process.execPath, MAIN, ...args, "--json"], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
	const [stdout, stderr, status] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
	return { status, told: stdout === "" ? ({} as T) : (JSON.parse(stdout) as T), stderr };
}

const boot = (...args: string[]) => command<Verdict & Seen & { ok: boolean }>("boot", "--image", image, ...args);

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "mayfly-image-boot-"));
	image = join(folder, "image.raw");
	const { status, stderr } = await command("build", "--out", image);
	if (status !== 0) throw new Error(stderr);
}, BUILD_MS);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the built image", () => {
	test("has its manifest and bill of materials beside it, and nothing half-written", async () => {
		const manifest = JSON.parse(await readFile(`${image}.json`, "utf8"));
		const hasher = new Bun.CryptoHasher("sha256").update(await readFile(`${image}.cdx.json`));
		expect(hasher.digest("hex")).toHaveLength(64);
		expect(manifest).toMatchObject({
			base: "debian",
			architecture: "x64",
			sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
			kind: "runner",
			runner: { kind: "stand-in" },
		});
		const names = manifest.packages.map(({ name }: { name: string }) => name);
		for (const name of ["systemd", "docker.io", "git", "sudo"]) expect(names).toContain(name);
		for (const name of ["cloud-init", "isc-dhcp-client", "snapd", "ifupdown"]) expect(names).not.toContain(name);
		for (const half of [`${image}.part`, `${image}.log`]) expect(existsSync(half)).toBe(false);
	});
});

describe("a machine of the image", () => {
	test(
		"boots by its firmware, asks IMDS, claims its document, runs one job, reports its timings and powers itself off; it is what it must be",
		async () => {
			const { status, told, stderr } = await boot();
			expect({ problems: told.problems, stderr }).toEqual({ problems: [], stderr: "" });
			expect(told.checks.length).toBeGreaterThan(20);
			expect(told.machine.asked?.at).toBeLessThan(told.machine.claimed?.at as number);
			expect(told.record?.passages.map(({ stage }) => stage)).toEqual(
				expect.arrayContaining(["claiming", "preparing", "listening", "running"]),
			);
			expect(status).toBe(0);
		},
		BOOT_MS,
	);

	test.each((Object.keys(FAULTS) as FaultName[]).map((name) => [name, FAULTS[name].endedBy, FAULTS[name].says] as const))(
		"%s: ended by the %s when %s",
		async (name) => {
			const { status, told, stderr } = await boot("--direct", "--fault", name);
			expect({ problems: told.problems, stderr }).toEqual({ problems: [], stderr: "" });
			expect(status).toBe(0);
			const { disk } = told.machine.asked ?? { disk: null };
			if (disk === null) expect(name).toBe("agent-corrupted");
			else read.push(disk);
		},
		BOOT_MS,
	);

	test("has read no more of its disk until its first request to IMDS than a boot may", () => {
		expect(read.length).toBe(Object.keys(FAULTS).length - 1);
		expect(medianOf(read.map(({ reads }) => reads))).toBeLessThanOrEqual(1100);
		expect(medianOf(read.map(({ bytes }) => bytes)) / 2 ** 20).toBeLessThanOrEqual(60);
	});
});
