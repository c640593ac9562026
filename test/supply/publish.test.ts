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
	const manifest = {
		sha256: disk.sha256,
		sizeMiB: 4,
		files: [
			{ name: "mayfly-agent", version: "0.1.0" },
			{ name: "actions-runner", version: "2.337.0" },
		],
	};
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
	/** An account that remembers in files what each region has; `fails` names the call that it refuses. */
	const AWS = `
region=$(sed -E 's/.*--region ([a-z0-9-]+).*/\\1/' <<<"$*")
[[ ! -e fails || $* != *"$(cat fails)"* ]] || { echo denied >&2; exit 254; }
case "$*" in
*describe-images*tag:mayfly:digest*) cat "has-$region" 2>/dev/null || echo None ;;
*describe-images*Name=name,*) cat "untagged-$region" 2>/dev/null || true ;;
*describe-images*DeprecationTime!=*) cat "deprecated-$region" 2>/dev/null || true ;;
*describe-images*DeprecationTime==*) [[ $region != eu-west-1 ]] || echo ami-0old1 ;;
*copy-image*) echo "ami-0new2" | tee "has-$region" ;;
esac`;
	const at = (name: string) => join(bench.folder, name);
	const made = async (part: string) => (await bench.calls()).filter((call) => call.includes(part));
	const named = async () => (await made("put-parameter")).map((call) => /--region (\S+) .*--value (\S+)/.exec(call)?.slice(1).join(" "));
	beforeEach(async () => {
		const manifest = `{"builds":[{"artifact_id":"eu-west-1:ami-0new1"}]}`;
		await bench.program(
			"packer",
			`[[ $1 != build ]] || { echo '${manifest}' >dist/image-runner-x64.json; echo ami-0new1 >has-eu-west-1; }`,
		);
		await bench.program("aws", AWS);
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
			"region=eu-west-1",
			"writer_ami=ami-0aaaaaaaaaaaaaaaa",
		])
			expect(build).toContain(part);
		expect(calls.findIndex((call) => call.startsWith("packer validate"))).toBeLessThan(calls.indexOf(build));
		expect(await named()).toEqual(["eu-west-1 ami-0new1", "us-east-1 ami-0new2"]);
		const [copy = ""] = await made("copy-image");
		expect(copy).toContain("--region us-east-1 --source-region eu-west-1 --source-image-id ami-0new1");
		expect(copy).toContain("--copy-image-tags");
		const order = ["copy-image", "wait image-available --region us-east-1", "--imds-support v2.0", "--value ami-0new2"];
		expect(order.map((part) => calls.findIndex((call) => call.includes(part)))).toEqual(
			order.map((part) => calls.findIndex((call) => call.includes(part))).toSorted((one, other) => one - other),
		);
		const deprecated = await made("enable-image-deprecation");
		expect(deprecated).toHaveLength(1);
		expect(deprecated[0]).toContain("--region eu-west-1 --image-id ami-0old1");
	});

	test.each([
		["the parameter was denied", "put-parameter", 0, 1],
		["the second region was throttled", "copy-image", 1, 2],
		["a copy was waited for too long", "image-available", 1, 1],
	])("goes on where %s, without another machine", async (_, call, regions, copies) => {
		await writeFile(at("fails"), call);
		const first = await publish("runner-x64");
		expect([first.code === 0, first.out.match(/ is runner-x64$/gm)?.length ?? 0]).toEqual([false, regions]);
		await writeFile(at("fails"), "nothing");
		expect(await publish("runner-x64")).toMatchObject({ code: 0, out: expect.stringContaining("ami-0new1 has this disk already") });
		expect((await named()).slice(-2)).toEqual(["eu-west-1 ami-0new1", "us-east-1 ami-0new2"]);
		expect(await made("packer build")).toHaveLength(1);
		expect(await made("copy-image")).toHaveLength(copies);
	});

	test("the same disk again starts nothing, and takes a deprecation back", async () => {
		await publish("runner-x64");
		await writeFile(at("deprecated-us-east-1"), "ami-0new2\n");
		expect((await publish("runner-x64")).code).toBe(0);
		expect([(await made("packer build")).length, (await made("copy-image")).length]).toEqual([1, 1]);
		expect(await made("disable-image-deprecation")).toEqual(["aws ec2 disable-image-deprecation --region us-east-1 --image-id ami-0new2"]);
	});

	test("an image that an ended run left without tags is out of the way before packer wants its name", async () => {
		await writeFile(at("untagged-eu-west-1"), "ami-0left\n");
		expect((await publish("runner-x64")).code).toBe(0);
		const calls = await bench.calls();
		const gone = calls.indexOf("aws ec2 deregister-image --region eu-west-1 --image-id ami-0left");
		expect(gone).toBeGreaterThan(-1);
		expect(gone).toBeLessThan(calls.findIndex((call) => call.startsWith("packer build")));
	});

	test("names no image where packer failed, and starts nothing with another disk than was built", async () => {
		await bench.program("packer", "[[ $1 != build ]]");
		expect((await publish("runner-x64")).code).not.toBe(0);
		const before = await bench.calls();
		await writeFile(join(bench.folder, "image", "disk.raw.json"), JSON.stringify({ sha256: "0".repeat(64), sizeMiB: 4, files: [] }));
		expect(await publish("runner-x64")).toMatchObject({ code: 1, out: expect.stringContaining("disk.raw.json says") });
		expect(await named()).toEqual([]);
		expect(await bench.calls()).toEqual(before);
	});

	test("refuses a name that there is not, and a missing setting by its name", async () => {
		expect(await publish("runner")).toMatchObject({ code: 2, out: "there is no image runner\n" });
		expect(await publish("runner-arm64")).toMatchObject({ code: 1, out: expect.stringContaining("WRITER_AMI_ARM64") });
		expect(await bench.calls()).toEqual([]);
	});
});
