// Publishing an image: what is written to a volume, and what packer and AWS are asked.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openWorkbench, type Workbench } from "./scripts.ts";

const FOLDER = join(import.meta.dir, "..", "..", "ami", "packer");
const MIB = 2 ** 20;
let bench: Workbench;
let disk: { sha256: string };
beforeEach(async () => {
	bench = await openWorkbench();
	const image = join(bench.folder, "image");
	await mkdir(image);
	const file = join(image, "disk.raw");
	await writeFile(file, "a partition table\n");
	await truncate(file, 4 * MIB);
	const bytes = Buffer.from(await Bun.file(file).arrayBuffer());
	bytes.write("the last sector", 4 * MIB - 512);
	await writeFile(file, bytes);
	disk = { sha256: new Bun.CryptoHasher("sha256").update(bytes).digest("hex") };
	expect((await bench.run(["zstd", "--quiet", file, "-o", `${file}.zst`])).code).toBe(0);
	const manifest = { sha256: disk.sha256, sizeMiB: 4, runner: { version: "2.337.0" } };
	await writeFile(join(image, "disk.raw.json"), JSON.stringify(manifest));
});
afterEach(() => bench.end());

describe("the writer", () => {
	const volume = () => join(bench.folder, "dev", "nvme1n1");
	/** `lsblk` of a machine with its own disk, which has partitions, and what was attached. */
	async function attach(...sizes: number[]): Promise<void> {
		await mkdir(join(bench.folder, "dev"));
		for (const [at, size] of sizes.entries()) {
			const file = join(bench.folder, "dev", `nvme${at + 1}n1`);
			await writeFile(file, "");
			await truncate(file, size);
		}
		const lines = [`nvme0n1 ${8 * 1024 * MIB}`, ...sizes.map((size, at) => `nvme${at + 1}n1 ${size}`)].join("\n");
		await bench.program(
			"lsblk",
			`case "$*" in *--bytes*) echo "${lines}" ;; */nvme0n1) printf 'nvme0n1\\nnvme0n1p1\\n' ;; *) echo x ;; esac`,
		);
		await bench.program("blockdev", "");
		await bench.program("sgdisk", "");
	}
	async function write(over: Record<string, string> = {}) {
		const script = (await readFile(join(FOLDER, "write-disk.sh"), "utf8")).replaceAll("/dev/", `${bench.folder}/dev/`);
		await writeFile(join(bench.folder, "write-disk.sh"), script);
		const given = {
			DISK: join(bench.folder, "image", "disk.raw.zst"),
			DISK_BYTES: String(4 * MIB),
			DISK_SHA256: disk.sha256,
			VOLUME_GIB: "1",
		};
		return bench.run(["bash", join(bench.folder, "write-disk.sh")], { ...given, ...over });
	}

	test("writes the disk to the one empty volume, reads it back, and leaves what is zero unwritten", async () => {
		await attach(1024 * MIB);
		expect(await write()).toMatchObject({ code: 0, out: expect.stringContaining(`read back: ${disk.sha256}`) });
		const { size, blocks } = await stat(volume());
		expect(size).toBe(1024 * MIB);
		expect(blocks * 512).toBeLessThanOrEqual(3 * MIB);
		expect(await bench.calls()).toContainEqual(`sgdisk --move-second-header ${volume()}`);
	});

	test("touches nothing where it cannot tell which volume is meant", async () => {
		await attach(1024 * MIB, 1024 * MIB);
		expect(await write()).toMatchObject({ code: 1, out: expect.stringContaining("expected one empty volume of 1 GiB, found 2") });
		expect((await stat(volume())).blocks).toBe(0);
	});

	test("fails where none fits, the disk is larger, or other bytes arrive", async () => {
		await attach(1024 * MIB);
		expect(await write({ VOLUME_GIB: "2" })).toMatchObject({ code: 1, out: expect.stringContaining("found 0: none") });
		expect(await write({ DISK_BYTES: String(2048 * MIB) })).toMatchObject({ code: 1, out: expect.stringContaining("does not fit") });
		expect(await write({ DISK_SHA256: "0".repeat(64) })).toMatchObject({ code: 1, out: expect.stringContaining("has the checksum") });
	});
});

describe("publishing", () => {
	const given = { REGION: "eu-west-1", REGIONS: "us-east-1", COMMIT: "c".repeat(40), WRITER_AMI_X64: "ami-0aaaaaaaaaaaaaaaa" };
	const publish = (name: string, over: Record<string, string> = {}) =>
		bench.run([join(FOLDER, "publish.sh"), name, join(bench.folder, "image")], { ...given, ...over });
	beforeEach(async () => {
		const manifest = `{"builds":[{"artifact_id":"eu-west-1:ami-0new1,us-east-1:ami-0new2"}]}`;
		await bench.program("packer", `[[ $1 != build ]] || echo '${manifest}' >dist/image-runner-x64.json`);
		await bench.program("aws", '[[ $2 != describe-images || $* == *us-east-1* ]] || echo "ami-0old1"');
	});

	test("builds with what the disk says of itself, names the image in each region and deprecates those before it", async () => {
		const { code, out } = await publish("runner-x64");
		expect(out).toContain("us-east-1: ami-0new2 is runner-x64");
		expect(code).toBe(0);
		const calls = await bench.calls();
		const build = calls.find((call) => call.startsWith("packer build")) ?? "";
		for (const part of [
			`disk_sha256=${disk.sha256}`,
			"disk_bytes=4194304",
			"runner_version=2.337.0",
			'regions=["us-east-1"]',
			"writer_ami=ami-0aaaaaaaaaaaaaaaa",
		])
			expect(build).toContain(part);
		expect(calls.findIndex((call) => call.startsWith("packer validate"))).toBeLessThan(calls.indexOf(build));
		const named = calls.filter((call) => call.startsWith("aws ssm put-parameter"));
		expect(named.map((call) => /--region (\S+) .*--value (\S+)/.exec(call)?.slice(1))).toEqual([
			["eu-west-1", "ami-0new1"],
			["us-east-1", "ami-0new2"],
		]);
		const deprecated = calls.filter((call) => call.includes("enable-image-deprecation"));
		expect(deprecated).toHaveLength(1);
		expect(deprecated[0]).toContain("--region eu-west-1 --image-id ami-0old1");
	});

	test("names no image where packer failed, and starts nothing with another disk than was built", async () => {
		await bench.program("packer", "[[ $1 != build ]]");
		expect((await publish("runner-x64")).code).not.toBe(0);
		await writeFile(join(bench.folder, "image", "disk.raw.json"), JSON.stringify({ sha256: "0".repeat(64), sizeMiB: 4 }));
		expect(await publish("runner-x64")).toMatchObject({ code: 1, out: expect.stringContaining("disk.raw.json says") });
		const calls = await bench.calls();
		expect(calls.filter((call) => call.startsWith("aws"))).toEqual([]);
		expect(calls.filter((call) => call.startsWith("packer build"))).toHaveLength(1);
	});

	test("refuses a name that there is not, and a missing setting by its name", async () => {
		expect(await publish("runner")).toMatchObject({ code: 2, out: "there is no image runner\n" });
		expect(await publish("runner-arm64")).toMatchObject({ code: 1, out: expect.stringContaining("WRITER_AMI_ARM64") });
		expect(await bench.calls()).toEqual([]);
	});
});
