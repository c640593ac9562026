// Labels to machines: tables.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { resolveLabels } from "../../contract/label.ts";
import { LABEL_KEYS } from "../../contract/label-keys.ts";
import { readRange } from "../../contract/size.ts";
import { resolved } from "./poller-world.ts";

const FILE = `
owners: [{ name: octo-org }]
images: { ubuntu: { arch: x64 }, arm: { arch: arm64, ami: ami-0123456789abcdef0 } }
presets:
  small: { tier: build, cpu: 2, ram: 4+8, image: ubuntu, spot: false, labels: [[Self-Hosted, Linux], ubuntu-latest] }
  Ship: { tier: deploy, cpu: 4, image: arm }
tiers:
  build: { freeForm: true, allow: {}, ceiling: { cpu: 16, ram: 64, volume: 200 } }
  deploy: { kind: deploy, allow: { events: [push] } }
`;
const config = resolved(FILE);
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJhc2U2NHRleHRvZmFrZXlmb3J0ZXN0cw== mona@octo";
const OPEN = resolved(FILE.replace("allow: {},", `allow: {}, sshKeys: ["${KEY}"],`));
const read = (...labels: string[]) => {
	const reading = resolveLabels(labels, config);
	return reading.ok ? reading.request : reading.reason;
};

describe("labels", () => {
	test.each([
		[["mayfly=1/runner=small"], { preset: "small", cpu: { min: 2, max: 2 }, ram: { min: 4, max: 8 }, image: "ubuntu", spot: false }],
		[["mayfly=1/runner=SMALL/spot=pco"], { preset: "small", spot: true }],
		[["mayfly=1,runner=ship,spot=never"], { preset: "Ship", tier: "deploy", arch: "arm64", spot: false }],
		[["runner=small/mayfly=1"], { preset: "small" }],
		[["MAYFLY=1/Runner=4cpu-linux-arm64"], { preset: null, cpu: { min: 4, max: 4 }, arch: "arm64", image: "arm", spot: true }],
		[["mayfly=1"], { preset: null, cpu: { min: 2, max: 2 }, arch: "x64", image: "ubuntu", ram: null, mostRam: 64 }],
		[
			["mayfly=1/cpu=2+8/ram=8+16/family=m7i.large+c7"],
			{ cpu: { min: 2, max: 8 }, ram: { min: 8, max: 16 }, families: ["m7i.large", "c7"] },
		],
		[["mayfly=1/cpu=4+99"], { cpu: { min: 4, max: 16 } }],
		[["mayfly=1/ram=4+99"], { ram: { min: 4, max: 64 } }],
		[["mayfly=1/family=m7i.2xlarge+m7a.xlarge"], { cpu: { min: 1, max: 16 } }],
		[["mayfly=1/family=m7i.2xlarge/cpu=4"], { cpu: { min: 4, max: 4 } }],
		[["mayfly=1/family=m7i.2xlarge+m7a.*"], { cpu: { min: 2, max: 2 } }],
		[["mayfly=1/arch=arm64"], { arch: "arm64", image: "arm" }],
		[["mayfly=1/image=arm"], { arch: "arm64", image: "arm" }],
		[["mayfly=1/runner=small/cpu=4"], { preset: "small", cpu: { min: 4, max: 4 }, ram: { min: 4, max: 8 } }],
		[["LINUX", "self-hosted"], { preset: "small" }],
		[["ubuntu-latest"], { preset: "small" }],
		[["self-hosted", "linux", "x64", "mayfly=1/runner=small"], { preset: "small" }],
		[
			["mayfly=1/volume=80gb:gp3:250mibps:4000iops"],
			{ volume: { gib: 80, type: "gp3", throughput: 250, iops: 4000 }, retry: true, ssh: false, debug: false, tag: null },
		],
		[["mayfly=1/volume=40gb"], { volume: { gib: 40, type: null, throughput: null, iops: null } }],
		[["mayfly=1/volume=16GB:5000iops:io2"], { volume: { gib: 16, type: "io2", throughput: null, iops: 5000 } }],
		[["mayfly=1/runner=ship/retry=false/tag=team-a/ssh=false/env=Production/region=eu-west-1"], { retry: false, tag: "team-a" }],
		[["mayfly=1/retry=when-interrupted"], { retry: true, volume: null }],
	])("%p asks for %p", (labels, request) => {
		expect(read(...labels)).toMatchObject(request);
	});

	test.each([
		[[], "No preset lists the labels (none)."],
		[["ubuntu-22.04"], "No preset lists the labels ubuntu-22.04."],
		[["self-hosted"], "No preset lists the labels self-hosted."],
		[["mayfly"], "needs an id"],
		[["mayfly="], "needs an id"],
		[["mayfly=1;cpu=16"], "keys are separated by slashes or commas"],
		[["mayfly=1 cpu=16"], "keys are separated by slashes or commas"],
		[["mayfly=1:extras=s3"], "keys are separated by slashes or commas"],
		[["mayfly=1//runner=small"], "empty part"],
		[["mayfly=1/runner=small/"], "empty part"],
		[["mayfly=1/runner=large"], "neither a preset (small, Ship) nor a size like"],
		[["mayfly=1/runner=0cpu-linux-x64"], "neither a preset"],
		[["mayfly=1/runner=4cpu-windows-x64"], "neither a preset"],
		[["mayfly=1/cpu=4/cpu=8"], "cpu is given twice"],
		[["mayfly=1/cpu="], "cpu has no value"],
		[["mayfly=1/cpu=-1"], "neither an amount"],
		[["mayfly=1/cpu=8+2"], "from the larger to the smaller"],
		[["mayfly=1/cpu=2+4+8"], "neither an amount"],
		[["mayfly=1/cpu=1e3"], "neither an amount"],
		[["mayfly=1/cpu=32"], "over the ceiling of tier build: at most 16 vCPUs and 64 GiB"],
		[["mayfly=1/ram=128"], "over the ceiling"],
		[["mayfly=1/family=m7i;c7"], "not a list of families"],
		[["mayfly=1/arch=x86"], "neither x64 nor arm64"],
		[["mayfly=1/image=arm/arch=x64"], "The image arm is for arm64"],
		[["mayfly=1/image=nope"], "image=nope is unknown"],
		[["mayfly=1/spot=maybe"], "none of true, pco, co, lp, false, never"],
		[["mayfly=1/spot=constructor"], "none of true"],
		[["mayfly=1/runner=Ship/cpu=64"], "is taken as it is: its tier does not let a label choose cpu"],
		[["mayfly=1/runner=Ship/volume=99gb"], "does not let a label choose volume"],
		[["mayfly=1/volume=201gb"], "The disk asked for is over the ceiling of tier build: at most 200 GiB"],
		[["mayfly=1/volume=80"], "is not a disk like 80gb"],
		[["mayfly=1/volume=gp3"], "is not a disk of 1 to 65536 GiB"],
		[["mayfly=1/volume=80gb:90gb"], "is not a disk like"],
		[["mayfly=1/volume=80gb:st1"], "is not a disk like"],
		[["mayfly=1/volume=80gb:gp2:3000iops"], "gp2 does not let one choose"],
		[["mayfly=1/volume=80gb:io2"], "io2 needs"],
		[["mayfly=1/volume=80gb:io2:500mibps"], "only gp3"],
		[["mayfly=1/volume=80gb:100mibps"], "not between 125 and 2000 MiB/s"],
		[["mayfly=1/volume=80gb:99iops"], "not between 3000 and 80000 operations"],
		[["mayfly=1/volume=80gb:2000mibps"], "a throughput for which EBS asks for 8000iops"],
		[["mayfly=1/volume=5gb:gp3:4000iops"], "more than the 3000 operations a second that EBS gives to so many GiB"],
		[["mayfly=1/volume=10gb:io1:501iops"], "more than the 500 operations"],
		[["mayfly=1/volume=200gb:io2:16001iops"], "at most 16000 operations a second, or those of a preset"],
		[["mayfly=1/retry=never"], "none of when-interrupted, true, false"],
		[["mayfly=1/ssh=yes"], "none of true, false"],
		[["mayfly=1/ssh=true"], "ssh=true: the tier build has no sshKeys"],
		[["mayfly=1/debug=true"], "debug=true: the tier build has no sshKeys"],
		[["mayfly=1/runner=Ship/debug=true"], "the tier deploy has no sshKeys"],
		[["mayfly=1/env=staging"], "asks for the environment staging, and this stack is production"],
		[["mayfly=1/region=us-east-1"], "asks for a machine in us-east-1, and this stack is in eu-west-1"],
		[["mayfly=1/tag=a b"], "is not up to 128 letters"],
		[["mayfly=1/gpu=1/volume=80gb"], "The key gpu is unknown"],
		[["mayfly=1/__proto__=1"], "The key __proto__ is unknown"],
		[["mayfly=1/toString=1"], "The key tostring is unknown"],
		[["mayfly=1/runner=__proto__"], "neither a preset"],
		[["mayfly=1/runner=small", "mayfly=2/runner=Ship"], "more than one label"],
		[["mayfly=1", "cpu=4"], "stands in a label of its own"],
		[["mayfly=1", "windows"], "machines run Linux"],
		[["mayfly=1", "ARM64"], "contradicts"],
		[["runs-on=1/runner=small"], "RunsOn's"],
		[[`mayfly=${"1".repeat(250)}`], "more than the 256 characters"],
	])("%p is refused: %s", (labels, reason) => {
		expect(read(...labels)).toContain(reason);
	});

	test("every problem of a label is named at once", () => {
		const reason = read("mayfly=1/gpu=1/sticky=80gb/cpu=x");
		for (const part of ["gpu is unknown", "sticky is not honoured", "cpu=x"]) expect(reason).toContain(part);
	});

	test("what the operator's file has against a label is named at once as well", () => {
		const reason = read("mayfly=1/image=nope/cpu=99/volume=999gb/ssh=true");
		for (const part of ["image=nope is unknown", "at most 16 vCPUs", "at most 200 GiB", "has no sshKeys"]) expect(reason).toContain(part);
	});

	test("a preset is the same machine whether it is named or one of its sets is asked for", () => {
		expect(read("self-hosted", "linux")).toEqual(read("mayfly=1/runner=small"));
	});

	test("a set may hold labels that read like the beginning of a description", () => {
		const listing = resolved(FILE.replace("ubuntu-latest]", "mayfly, [Linux, runs-on]]"));
		for (const labels of [["mayfly"], ["MAYFLY"], ["runs-on", "linux"]])
			expect(resolveLabels(labels, listing)).toMatchObject({ ok: true, request: { preset: "small" } });
		expect(resolveLabels(["mayfly", "linux"], listing)).toMatchObject({ ok: false, ours: true });
	});

	test("RunsOn's own labels are served once the operator says so", () => {
		const reading = resolveLabels(["runs-on=1/runner=small"], { ...config, acceptRunsOnLabels: true });
		expect(reading).toMatchObject({ ok: true, request: { preset: "small" } });
	});

	test("a machine is opened for the operator's keys, and held for them, where the tier has some", () => {
		const ask = (label: string) => resolveLabels([label], OPEN);
		expect(ask("mayfly=1/ssh=true")).toMatchObject({ ok: true, request: { ssh: true, debug: false } });
		expect(ask("mayfly=1/debug=true")).toMatchObject({ ok: true, request: { ssh: true, debug: true } });
		expect(ask("mayfly=1")).toMatchObject({ ok: true, request: { ssh: false, debug: false } });
	});

	test("a job that is meant for GitHub's runners, another system or another stack is not ours; one that asks wrongly is", () => {
		const whose = (label: string, its = config) => {
			const reading = resolveLabels([label], its);
			return reading.ok || reading.ours;
		};
		for (const label of ["ubuntu-22.04", "runs-on=1", "mayfly=1/env=staging", "mayfly=1/region=us-east-1"])
			expect(whose(label)).toBe(false);
		for (const label of ["mayfly=1/cpu=x", "mayfly=1/runner=large", "mayfly=1/cpu=99"]) expect(whose(label)).toBe(true);
		for (const label of [
			"mayfly=1/env=staging/extras=s3-cache",
			"extras=x/mayfly=1/env=staging/cpu=",
			"mayfly=1/region=us-east-1/new-key=1",
		])
			expect(whose(label)).toBe(false);
		for (const more of ["mayfly=2/env=staging", "x".repeat(300)])
			expect(resolveLabels(["mayfly=1/env=staging", more], config)).toMatchObject({ ok: false, ours: false });
		expect(resolveLabels(["mayfly=1/env=staging", "mayfly=2"], config)).toMatchObject({ ok: false, ours: true });
		const staging = resolved(`${FILE}\nenvironment: staging`);
		expect(whose("mayfly=1", staging)).toBe(false);
		expect(resolveLabels(["mayfly=1/env=staging"], staging)).toMatchObject({ ok: true });
	});

	test("under a ceiling that names no volume, labels choose no disk, and presets have theirs", () => {
		const bare = resolved(
			FILE.replace("ram: 64, volume: 200", "ram: 64").replace("cpu: 2, ram: 4+8", "cpu: 2, volume: 900gb:io2:20000iops"),
		);
		expect(resolveLabels(["mayfly=1/volume=80gb"], bare)).toMatchObject({
			...{ ok: false, reason: "The ceiling of tier build names no volume, so labels choose none." },
		});
		expect(resolveLabels(["mayfly=1/runner=small"], bare)).toMatchObject({ ok: true, request: { volume: { gib: 900 } } });
	});

	test("every key that is known but not honoured has a reason", () => {
		for (const [key, status] of Object.entries(LABEL_KEYS)) {
			if (status === "honoured") continue;
			expect(read(`mayfly=1/${key}=1`)).toBe(`The key ${key} is not honoured: ${status.refused}.`);
		}
	});

	test("no label makes the reader throw, and what it grants is below the ceiling", () => {
		const part = fc.oneof(
			fc.string(),
			fc.stringMatching(/^(mayfly|runner|cpu|ram|family|arch|image|spot|volume|retry|ssh|env|region|tag|debug)=[a-z0-9+*.-]{0,9}$/),
		);
		const label = fc.array(part, { maxLength: 5 }).map((parts) => ["mayfly=1", ...parts].join("/"));
		fc.assert(
			fc.property(fc.array(fc.oneof(label, fc.string()), { maxLength: 3 }), (labels) => {
				const reading = resolveLabels(labels, config);
				if (reading.ok && reading.request.tier === "build") {
					const { cpu, ram, mostRam, volume } = reading.request;
					expect([cpu.max <= 16, (ram?.max ?? 0) <= 64, mostRam, (volume?.gib ?? 0) <= 200]).toEqual([true, true, 64, true]);
				}
				if (!reading.ok) expect(reading.reason).toEndWith(".");
			}),
			{ numRuns: 2000 },
		);
	});

	test.each(["", "+", "4+", "+4", "0", "0+4", "4,5", " 4", "99999999", "NaN", "Infinity"])("%p is no amount", (text) => {
		expect(readRange(text).ok).toBe(false);
	});
});
