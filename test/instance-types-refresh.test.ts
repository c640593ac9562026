// `bun run instance-types`, as it is run: pages in, table out.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parsePage, whyLeftOut } from "../build/instance-type-rows.ts";
import { KEYS } from "./fakes/aws-account.ts";
import { installMoto, type Moto, motoFile, startMoto } from "./fakes/moto.ts";

const root = join(import.meta.dir, "..");
let folder = "";
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "mayfly-types-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A type as EC2 describes it, plain and launchable. */
const described = (InstanceType: string, more: object = {}) => ({
	...{ InstanceType, Hypervisor: "nitro", BareMetal: false, BurstablePerformanceSupported: false, CurrentGeneration: true },
	...{ SupportedUsageClasses: ["on-demand", "spot"], ProcessorInfo: { SupportedArchitectures: ["x86_64"] } },
	...{ VCpuInfo: { DefaultVCpus: 2 }, MemoryInfo: { SizeInMiB: 8192 }, EbsInfo: { EbsOptimizedSupport: "default" } },
	...{ NetworkInfo: { NetworkCards: [{ PeakBandwidthInGbps: 12.5 }] } },
	...more,
});
const ARM = { ProcessorInfo: { SupportedArchitectures: ["arm64"] } };
const TYPES = [described("m7i.large"), described("m8g.large", ARM), described("c7i.large", { MemoryInfo: { SizeInMiB: 4096 } })];

async function saved(name: string, value: unknown): Promise<string> {
	const file = join(folder, name);
	await writeFile(file, name.endsWith(".gz") ? gzipSync(JSON.stringify(value)) : JSON.stringify(value));
	return file;
}

async function run(args: string[], env: Record<string, string> = {}) {
	const child = Bun.spawn([process.execPath, "build/instance-types.ts", ...args], {
		...{ cwd: root, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
		env: { PATH: process.env.PATH ?? "", HOME: folder, AWS_EC2_METADATA_DISABLED: "true", ...env },
	});
	const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
	return { out, err, code: await child.exited };
}

describe("from files", () => {
	test("the same pages give the same bytes, in whatever order and packing they come", async () => {
		const pages = [
			{ InstanceTypes: TYPES.slice(0, 2), NextToken: "more" },
			{ InstanceTypes: TYPES.slice(2), NextToken: null },
		];
		const [one, two] = [join(folder, "one.json"), join(folder, "two.json")];
		const files = await Promise.all([saved("p1", pages[0]), saved("p2", pages[1]), saved("p2.gz", pages[1])]);
		const first = await run(["--from", files[0] ?? "", files[1] ?? "", "--source", "here", "--out", one]);
		const second = await run(["--from", files[2] ?? "", "--from", files[0] ?? "", "--source", "here", "--out", two]);
		expect([first.code, second.code, first.err]).toEqual([0, 0, ""]);
		expect(await readFile(two, "utf8")).toBe(await readFile(one, "utf8"));
		const { source, x64, arm64 } = JSON.parse(await readFile(one, "utf8"));
		expect({ source, x64, arm64 }).toEqual({
			source: "here",
			x64: [
				["c7i.large", 2, 4, 0, 12.5],
				["m7i.large", 2, 8, 0, 12.5],
			],
			arm64: [["m8g.large", 2, 8, 0, 12.5]],
		});
	});

	test("what came, went and changed is said, and a table that did not change is left as it is", async () => {
		const out = join(folder, "changing.json");
		const before = await saved("before", { InstanceTypes: TYPES });
		const faster = described("m7i.large", { NetworkInfo: { NetworkCards: [{ PeakBandwidthInGbps: 20 }, { PeakBandwidthInGbps: 5 }] } });
		const after = await saved("after", { InstanceTypes: [faster, TYPES[1], described("m9i.large", { CurrentGeneration: false })] });
		expect((await run(["--from", before, "--out", out])).out).toContain("added c7i.large\n");
		const bytes = await readFile(out, "utf8");
		const again = await run(["--from", await saved("elsewhere", { InstanceTypes: TYPES }), "--out", out]);
		expect(again).toEqual({ out: "2 types for x64, 1 for arm64: nothing has changed\n", err: "", code: 0 });
		expect(await readFile(out, "utf8")).toBe(bytes);
		expect((await run(["--from", after, "--out", out])).out.split("\n").slice(0, 3)).toEqual([
			"added m9i.large",
			"removed c7i.large",
			"changed m7i.large: [2,8,0,12.5] is now [2,8,0,25]",
		]);
		expect(JSON.parse(await readFile(out, "utf8")).x64).toContainEqual(["m9i.large", 2, 8, 0, 12.5, "previous"]);
	});

	test.each([
		["a page that names a next one, alone", { InstanceTypes: TYPES, NextToken: "more" }, "the last page is missing"],
		["no arm64 at all", { InstanceTypes: TYPES.slice(0, 1) }, "there is no type for arm64 among the 1"],
		["another answer", { Reservations: [] }, "it is no answer of DescribeInstanceTypes"],
		["a type without its size", { InstanceTypes: [{ ...TYPES[0], VCpuInfo: {} }] }, "it is no answer of DescribeInstanceTypes"],
	])("%s is refused with 1, and nothing is written", async (name, value, expected) => {
		const out = join(folder, `refused ${name}.json`);
		const { err, code } = await run(["--from", await saved(`bad ${name}`, value), "--out", out]);
		expect([code, err.includes(expected), await Bun.file(out).exists()]).toEqual([1, true, false]);
	});

	test.each([
		[["--help"], 0],
		[["--form", "x"], 2],
		[["page.json"], 2],
		[["--from", "page.json", "--region", "eu-west-1"], 2],
		[["--from", "no such file"], 1],
	])("%p ends with %i", async (args, code) => {
		const ended = await run([...args, "--out", join(folder, "unwritten.json")]);
		expect(ended.code).toBe(code);
		if (code !== 1) expect(ended.out + ended.err).toContain("usage: bun run instance-types");
	});
});

test.each([
	["has an accelerator", { GpuInfo: { Gpus: [] } }],
	["bare metal", { BareMetal: true, Hypervisor: null }],
	["older than Nitro", { Hypervisor: "xen" }],
	["for one trade", { InstanceType: "hpc7a.12xlarge" }],
	["neither x64 nor arm64", { ProcessorInfo: { SupportedArchitectures: ["arm64_mac"] } }],
	["less than the 2 GiB", { MemoryInfo: { SizeInMiB: 1024 } }],
	["not for both spot and on-demand", { SupportedUsageClasses: ["on-demand"] }],
	["shares its bandwidth", { EbsInfo: { EbsOptimizedSupport: "unsupported" } }],
])("a type is left out because: %s", (reason, more) => {
	const page = parsePage({ InstanceTypes: [described("m7i.large"), { ...described("m7i.large"), ...more }] });
	expect(page.InstanceTypes.map(whyLeftOut)).toEqual([null, expect.stringContaining(reason)]);
});

describe("from EC2", () => {
	let moto: Moto | null = null;
	beforeAll(async () => {
		try {
			await installMoto();
			moto = await startMoto();
		} catch (error) {
			if (process.env.MAYFLY_REQUIRE_ALL === "1") throw error;
			process.stderr.write(`skipped, moto cannot be had: ${error}\n`);
		}
	}, 300_000);
	afterAll(() => moto?.stop());

	test("the API gives the rows that a saved answer gives", async () => {
		if (!moto) return;
		const env = { AWS_ENDPOINT_URL_EC2: moto.url, AWS_ACCESS_KEY_ID: KEYS.accessKeyId, AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey };
		const [api, file] = [join(folder, "api.json"), join(folder, "file.json")];
		const asked = await run(["--region", "eu-west-1", "--out", api], env);
		expect([asked.code, asked.err]).toEqual([0, ""]);
		await run(["--from", await motoFile("ec2/resources/instance_types.json.gz"), "--out", file]);
		const [{ source, ...rows }, { source: _, ...expected }] = await Promise.all([api, file].map((name) => Bun.file(name).json()));
		expect(rows).toEqual(expected);
		expect(source).toMatch(/^DescribeInstanceTypes in eu-west-1, 20\d\d-\d\d-\d\d$/);
	}, 60_000);

	test("without credentials it says so and ends with 1", async () => {
		const { err, code } = await run(["--region", "eu-west-1", "--out", join(folder, "none.json")]);
		expect([code, /credentials/i.test(err)]).toEqual([1, true]);
	}, 30_000);
});
