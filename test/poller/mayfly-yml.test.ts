// The operator's file, to the resolved config.
import { describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { parseResolvedFile, resolveFile } from "../../contract/config.ts";
import { parseMayflyYaml } from "../../contract/config-yaml.ts";
import { resolveLabels } from "../../contract/label.ts";
import { parseMayflyYml } from "../../contract/mayfly-yml.ts";
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

describe("mayfly.yml", () => {
	test("the file of the local system is without problems", async () => {
		const text = await readFile(join(import.meta.dir, "..", "..", "local", "mayfly.yml"), "utf8");
		const file = parseMayflyYaml(text);
		expect(file).toMatchObject({ ok: true });
		const local = resolved(text);
		for (const labels of [["self-hosted", "linux", "x64"], ["self-hosted", "linux"], ["ubuntu-latest"], ["mayfly=1/runner=small"]])
			expect(resolveLabels(labels, local)).toMatchObject({ ok: true, request: { tier: "build", arch: "x64" } });
		expect(local.tiers.build?.limits.linger).toBe(500);
	});

	test("what is resolved is what the poller reads, defaults filled in", () => {
		const { infrastructure, ...file } = config;
		expect(parseResolvedFile(JSON.parse(JSON.stringify(file)))).toEqual({ ok: true, value: file });
		// What a stack has is not the file's to say.
		expect(parseResolvedFile({ ...file, infrastructure })).toEqual({ ok: true, value: file });
		expect(config.limits).toEqual({ idle: 600_000, maxJob: 21_600_000, boot: 600_000, linger: 10_000, debug: 900_000 });
		expect(config.owners).toEqual([
			{ name: "octo-org", endpoint: "org", runnerGroupId: 1, installationId: null, maxMachines: null, maxMachinesPerRepository: null },
		]);
	});

	test("a tier's limits go before the file's, and those before the defaults", () => {
		const text = `${FILE.replace("allow: {},", "allow: {}, limits: { maxJob: 1h },")}\nlimits: { maxJob: 2h, idle: 90s }`;
		const { tiers } = resolved(text);
		expect(tiers.build?.limits).toMatchObject({ maxJob: 3_600_000, idle: 90_000, boot: 600_000 });
		expect(tiers.deploy?.limits).toMatchObject({ maxJob: 7_200_000 });
	});

	test("every problem is listed at once with its path", () => {
		const text = `
owners: [{ name: a }, { name: A, endpoint: team }]
images: { i: { arch: x86 }, j: { arch: x64, ami: "nope" } }
presets:
  p: { cpu: 8+2, image: none, extra: 1, labels: [linux, [Linux], []] }
  q: { cpu: 4, tier: nope, image: j, ram: 99 }
  r: { cpu: 64, tier: build, image: j, volume: 300gb }
tiers:
  build: { allow: { forks: yes please }, freeForm: true, requireApproval: true, ceiling: { cpu: 16, ram: 64, volume: 200 } }
  deploy: { kind: deploy, allow: { forks: true, events: [push, Pull_Request_Target] }, sshKeys: [nope], freeForm: true, limits: { idle: 10, maxJob: 9d } }
runner: { version: 2.400, sha256: { arm64: ABC } }
typo: true
`;
		const file = parseMayflyYaml(text);
		const paths = file.ok ? [] : file.problems.map(({ path }) => path);
		expect(paths.toSorted()).toEqual([
			...["images.i.arch", "images.j.ami", "owners.1.endpoint", "owners.1.name", "presets.p.cpu", "presets.p.extra", "presets.p.image"],
			...["presets.p.labels.1", "presets.p.labels.2", "presets.p.tier", "presets.q.tier", "presets.r.cpu"],
			...["presets.r.volume", "runner.sha256.arm64", "runner.version"],
			...[
				"tiers.build.allow.forks",
				"tiers.build.requireApproval",
				"tiers.deploy.allow.events.1",
				"tiers.deploy.allow.forks",
				"tiers.deploy.freeForm",
				"tiers.deploy.freeForm",
				"tiers.deploy.limits.idle",
			],
			...["tiers.deploy.limits.maxJob", "tiers.deploy.sshKeys", "tiers.deploy.sshKeys.0", "typo"],
		]);
	});

	test("a runner that may be wanted has a checksum for every architecture of the images", () => {
		const text = (sha256: string) =>
			`owners: [{ name: a }]\nimages: { i: { arch: x64 }, j: { arch: arm64 } }\ntiers: { build: { allow: {} } }\nrunner: { version: 2.400.0, sha256: ${sha256} }\n`;
		const [x64, arm64] = ["ab".repeat(32), "cd".repeat(32)];
		expect(parseMayflyYaml(text(`{ x64: ${x64}, arm64: ${arm64} }`)).ok).toBe(true);
		const lacking = parseMayflyYaml(text(`{ x64: ${x64} }`));
		expect(lacking.ok ? [] : lacking.problems).toEqual([{ path: "runner.sha256.arm64", reason: "is missing: the image j is of arm64" }]);
	});

	test.each(["", "[]", "owners", "42", "owners: [\n", "a: 1\na: 2", "null"])("%p is refused and not thrown at", (text) => {
		const file = parseMayflyYaml(text);
		expect(file.ok).toBe(false);
		if (!file.ok) expect(file.problems.length).toBeGreaterThan(0);
	});

	test("no value makes the reader throw", () => {
		fc.assert(
			fc.property(fc.object({ key: fc.constantFrom("owners", "presets", "images", "tiers", "limits", "p", "__proto__") }), (value) => {
				expect(parseMayflyYml(value).ok).toBe(false);
			}),
			{ numRuns: 500 },
		);
	});

	test("resolving changes nothing of the file", () => {
		const file = parseMayflyYaml(FILE);
		if (!file.ok) throw new Error("problems");
		const before = structuredClone(file.value);
		resolveFile(file.value);
		expect(file.value).toEqual(before);
	});
});
