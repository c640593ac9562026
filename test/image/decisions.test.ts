// What of the image's making is decided and not done: pins, partitions, pages, reasons.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FAULTS } from "../../ami/boot/faults.ts";
import { extentsIn, pagesIn, piecesOf } from "../../ami/boot/hot-pages.ts";
import { judge } from "../../ami/boot/judge.ts";
import { accelerationHere, qemuCommand } from "../../ami/boot/qemu.ts";
import type { Seen } from "../../ami/boot/scene.ts";
import { CMDLINE, checkFits, partitionTable } from "../../ami/build/disk.ts";
import { listedHash } from "../../ami/build/parts.ts";
import { readVersions, runnerPin, VERSIONS_FILE } from "../../ami/versions.ts";
import { phasesIn } from "../../bench/boot/figures.ts";
import { RUNNER_VERSION } from "../../local/runner/version.ts";

let folder: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "mayfly-image-test-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function versionsWith(change: (versions: ReturnType<typeof JSON.parse>) => void): Promise<string> {
	const versions = JSON.parse(await readFile(VERSIONS_FILE, "utf8"));
	change(versions);
	const file = join(folder, `${crypto.randomUUID()}.json`);
	await writeFile(file, JSON.stringify(versions));
	return file;
}

describe("the pins", () => {
	test("name a sha256 for the runner on both architectures, and the version that the local system stands in for", async () => {
		const versions = await readVersions(VERSIONS_FILE);
		for (const architecture of ["x64", "arm64"] as const)
			expect(runnerPin(versions, architecture)).toEqual({ version: RUNNER_VERSION, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
	});

	test("that are missing are a problem, never a fetch without one", async () => {
		const versions = await readVersions(await versionsWith((it) => delete it.runner.sha256.x64));
		expect(() => runnerPin(versions, "x64")).toThrow("no sha256 for 2.337.0 on x64");
		expect(runnerPin(versions, "arm64").sha256).toHaveLength(64);
	});

	test.each([
		["a sha256 of another form", (it: ReturnType<typeof JSON.parse>) => (it.runner.sha256.x64 = "abc"), "runner.sha256.x64"],
		["a version with a hole", (it: ReturnType<typeof JSON.parse>) => (it.bases.debian.packages.git = "1:*.2"), "packages.git"],
		["a name that no package has", (it: ReturnType<typeof JSON.parse>) => (it.bases.debian.packages["a b"] = "1"), "package"],
		["a key nobody knows", (it: ReturnType<typeof JSON.parse>) => (it.docker = "1"), "docker"],
	])("with %s are refused, and the place is named", async (_, change, place) => {
		await expect(readVersions(await versionsWith(change))).rejects.toThrow(place);
	});

	test("of a file that is not JSON or not there are refused with the file's name", async () => {
		const file = join(folder, "broken.json");
		await writeFile(file, "{");
		await expect(readVersions(file)).rejects.toThrow("broken.json: is not JSON");
		await expect(readVersions(join(folder, "none.json"))).rejects.toThrow("none.json: cannot be read");
	});

	test("of a folder's agent are in its SHA256SUMS", () => {
		const hash = "a".repeat(64);
		expect(listedHash(`${"b".repeat(64)}  other\n${hash}  mayfly-agent-linux-x64\n`, "mayfly-agent-linux-x64")).toBe(hash);
		expect(listedHash("short  mayfly-agent-linux-x64\n", "mayfly-agent-linux-x64")).toBeNull();
		expect(listedHash("", "mayfly-agent-linux-x64")).toBeNull();
	});
});

describe("the disk", () => {
	test("has an ESP and a root that fill it, with the ids that the kernel's command line names", () => {
		const table = partitionTable({ sizeMiB: 1024, espMiB: 64, architecture: "x64" });
		expect(table).toContain("start=1MiB, size=64MiB");
		expect(table).toContain("start=65MiB, size=958MiB");
		const id = /root=PARTUUID=(\S+)/.exec(CMDLINE.join(" "))?.[1] as string;
		expect(table).toContain(`uuid=${id}, name=root`);
	});

	test("is not made where the kernel does not fit into its ESP, and the setting is named", () => {
		expect(() => checkFits("BOOTAA64.EFI", 62 * 2 ** 20, 64)).not.toThrow();
		expect(() => checkFits("BOOTAA64.EFI", 62 * 2 ** 20 + 1, 64)).toThrow("BOOTAA64.EFI has 63 MiB, its partition 64 MiB");
		expect(() => checkFits("BOOTAA64.EFI", 62 * 2 ** 20 + 1, 64)).toThrow("disk.espMiB");
	});
});

describe("the pages of the agent", () => {
	const extents = extentsIn("Size: 1\nEXTENTS:\n(ETB0):9, (0-9):100-109, (20):300");

	test("are those of its extents, holes left out", () => {
		expect(extents).toEqual([
			{ logical: 0, physical: 100, length: 10 },
			{ logical: 20, physical: 300, length: 1 },
		]);
		const at = (block: number) => `lba 0x${(8 * block + 2048).toString(16)}`;
		const trace = `pci_nvme_read cid 0 nsid 1 nlb 8 count 8192 ${at(101)}\npci_nvme_read cid 0 nsid 1 nlb 8 count 4096 ${at(300)}\npci_nvme_read cid 0 nsid 1 nlb 8 count 4096 ${at(50)}\n`;
		expect(pagesIn(trace, extents, 2048 * 512)).toEqual([1, 2, 20]);
	});

	test("become pieces with no larger gaps in them", () => {
		expect(piecesOf([0, 1, 5, 40], 3)).toEqual([
			{ offset: 0, length: 6 * 4096 },
			{ offset: 40 * 4096, length: 4096 },
		]);
		expect(piecesOf([])).toEqual([]);
	});

	test("that ship are in order, whole pages, and few", async () => {
		const lines = (await readFile(join(import.meta.dir, "../../ami/files/agent.x64.pages"), "utf8")).trim().split("\n");
		const pieces = lines.map((line) => line.split(" ").map(Number)) as [number, number][];
		expect(pieces.length).toBeLessThan(400);
		for (const [at, [offset, length]] of pieces.entries()) {
			expect(offset % 4096 || length % 4096).toBe(0);
			expect(offset).toBeGreaterThanOrEqual(at === 0 ? 0 : (pieces[at - 1]?.[0] ?? 0) + (pieces[at - 1]?.[1] ?? 0));
		}
	});
});

describe("the machine", () => {
	test("is accelerated where the CPU says so, and not because of a device file", () => {
		expect(accelerationHere("flags\t\t: fpu vmx sse\n")).toBe("kvm");
		expect(accelerationHere("flags\t\t: fpu svm sse\n")).toBe("kvm");
		expect(accelerationHere("flags\t\t: fpu sse svmx\n")).toBe("tcg");
	});

	test("reaches each stand-in at an address of its own and nothing else", () => {
		const standIns = {
			imds: "http://127.0.0.1:1",
			mailbox: "http://127.0.0.1:2",
			relay: "http://127.0.0.1:3",
			github: "http://127.0.0.1:4",
		};
		const command = qemuCommand({ disk: "d", folder: "f", standIns, kernel: null, acceleration: "tcg" }).join(" ");
		expect(command).toContain("restrict=on");
		expect(command).toContain("guestfwd=tcp:169.254.169.254:80-cmd:socat - TCP:127.0.0.1:1");
	});
});

describe("the verdict", () => {
	const sight = { at: 1, disk: null };
	const seen: Seen = {
		machine: {
			instanceId: "i-1",
			folder: "f",
			asked: sight,
			claimed: sight,
			traceBytes: null,
			offAfterMs: 30_000,
			shutdown: "guest-shutdown",
		},
		...{ conclusion: "success", log: ["ok: a", "noise"], saidAt: 10_000, reason: "Client.InstanceInitiatedShutdown", console: "" },
		record: { measurements: { bootMs: 1, imdsMs: 1, claimMs: 1, launchMs: 1, jobMs: 1 } } as unknown as Seen["record"],
	};
	const problems = (fault: Parameters<typeof judge>[0], change: Partial<Seen>) => judge(fault, { ...seen, ...change }).problems;

	test("of a machine that did its job is no problem; of one that did not is each of them", () => {
		expect(problems(null, {})).toEqual([]);
		expect(problems(null, { log: ["ok: a", "not ok: b"] })).toEqual(["not ok: b"]);
		expect(problems(null, { log: [] })).toEqual(["the job's checks said nothing"]);
		expect(problems(null, { conclusion: "failure" })).toHaveLength(1);
		expect(problems(null, { record: null })).toHaveLength(1);
		expect(problems(null, { machine: { ...seen.machine, shutdown: null } })).toEqual(["it did not power itself off"]);
	});

	test("of a fault counts from when it came, and asks who ended the machine", () => {
		expect(problems("agent-killed", {})).toEqual([]);
		expect(problems("agent-killed", { saidAt: null })).toContain("the fault never came");
		const late = { ...seen.machine, offAfterMs: 10_001 + FAULTS["agent-killed"].withinMs };
		expect(problems("agent-killed", { machine: late })).toHaveLength(1);
		expect(problems("power-off-masked", {})).toContain("it powered itself off: the fault was none");
		const outside = { machine: { ...seen.machine, shutdown: null }, reason: "Client.UserInitiatedShutdown" };
		expect(problems("power-off-masked", outside)).toEqual([]);
		expect(problems("agent-killed", outside).length).toBeGreaterThan(0);
		expect(problems("mailbox-empty", {})).toContain("it was not the mailbox that kept it waiting");
		expect(problems("agent-corrupted", {})).toContain("the agent ran");
	});
});

test("what systemd says of a boot is read in all its units", () => {
	expect(phasesIn("Startup finished in 2.154s (kernel) + 1min 4.390s (userspace) = 1min 6.544s")).toEqual({
		kernelSeconds: 2.154,
		userspaceSeconds: 64.39,
	});
	expect(phasesIn("Startup finished in 1.2s (firmware) + 850ms (kernel) + 3s (initrd) + 4.5s (userspace)")).toEqual({
		kernelSeconds: 0.85,
		userspaceSeconds: 4.5,
	});
	expect(phasesIn("Bootup is not yet finished")).toEqual({ kernelSeconds: null, userspaceSeconds: null });
});
