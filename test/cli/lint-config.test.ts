// Problems of mayfly.yml stand where they are in the file, all of them at once.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { checkConfig } from "../../cli/lint/check-config.ts";
import { ID, job } from "./claims.ts";
import { CONFIG, lint } from "./repository.ts";

setDefaultTimeout(60_000);

const saidOf = (text: string) => checkConfig("m", text).problems.map(({ line, column, message }) => `${line}:${column} ${message}`);

describe("a problem of mayfly.yml", () => {
	test("is told with all others at once, in the order of the file", async () => {
		const wrong = CONFIG.replace("cpu: 2, image: ubuntu, labels", "cpu: two, image: debian, labels");
		const { code, out } = await lint({ "mayfly.yml": `${wrong}limits: { idle: 10 minutes }\ncolour: red\n` });
		expect(code).toBe(1);
		expect(out.trimEnd().split("\n")).toEqual([
			'mayfly.yml:4:30: error: presets.small.cpu: "two" is neither an amount like 4 nor a range like 2+8 [config]',
			"mayfly.yml:4:42: error: presets.small.image: there is no image debian [config]",
			'mayfly.yml:20:17: error: limits.idle: "10 minutes" is not a duration like 500ms, 90s, 10m, 6h or 2d [config]',
			"mayfly.yml:21:1: error: colour: unknown key [config]",
			"mayfly.yml has problems: of labels only the form is checked, and tiers are not, until it is mended",
			"4 errors, 0 warnings in 0 workflows with 0 jobs and mayfly.yml",
		]);
	});

	test("is a preset too that no machine is like: the rest of the file is believed all the same", async () => {
		const wrong = CONFIG.replace("small: { tier: build, cpu: 2,", "small: { tier: build, cpu: 3,");
		const { code, out } = await lint({ "mayfly.yml": wrong, ".github/workflows/a.yml": job(`${ID}/runner=huge`) });
		expect(code).toBe(1);
		expect(out.trimEnd().split("\n")).toEqual([
			expect.stringContaining(".github/workflows/a.yml:5:14: error: job one: "),
			"mayfly.yml:4:3: error: presets.small: every job of it is refused: No instance type that is known here has 3 vCPUs, at most 64 GiB, x64. [config]",
			"2 errors, 0 warnings in 1 workflow with 1 job and mayfly.yml",
		]);
	});

	test("is a deploy tier without a runner group, unless an owner is a personal account", async () => {
		const wrong = CONFIG.replace("    runnerGroupId: 4\n", "");
		const { out } = await lint({ "mayfly.yml": wrong });
		expect(out).toContain(
			"presets.Ship: every job of it is refused: the tier deploy names no runnerGroupId, and organisations need one. [config]",
		);
		const personal = wrong.replace("name: octo-org", "name: octo-org }, { name: mona, endpoint: repo");
		expect((await lint({ "mayfly.yml": personal })).out).toContain("0 errors");
	});

	test("does not hide a preset that no machine is like, unless it is about that preset", async () => {
		const wrong = CONFIG.replace("small: { tier: build, cpu: 2,", "small: { tier: build, cpu: 3,")
			.replace("Ship: { tier: deploy, cpu: 2, image: ubuntu }", "Ship: { tier: deploy, cpu: 3, image: debian }")
			.replace("workflows: [", "refs: [main]\n      workflows: [");
		const { out } = await lint({ "mayfly.yml": wrong });
		expect(out.trimEnd().split("\n").slice(0, 3)).toEqual([
			"mayfly.yml:4:3: error: presets.small: every job of it is refused: No instance type that is known here has 3 vCPUs, at most 64 GiB, x64. [config]",
			"mayfly.yml:5:40: error: presets.Ship.image: there is no image debian [config]",
			expect.stringMatching(/^mayfly\.yml:18:14: error: tiers\.deploy\.allow\.refs\.0: /),
		]);
		expect(out).toContain("\n3 errors, 0 warnings");
	});

	test("is a second document, which is told in words for who wrote the file", async () => {
		const { code, out } = await lint({ "mayfly.yml": `${CONFIG}---\n${CONFIG}` });
		expect(code).toBe(1);
		expect(out).toStartWith(
			"mayfly.yml:20:1: error: the file has more than one document: --- begins another, and there may be only one [config]\n",
		);
	});

	const rows: [string, string, string][] = [
		["a value stands at itself", CONFIG.replace("arch: x64", "arch: x86"), "2:27 images.ubuntu.arch: "],
		[
			"an unknown key stands at the key",
			CONFIG.replace("{ arch: x64 }", "{ arch: x64, disk: { size: 1 } }"),
			"2:32 images.ubuntu.disk: unknown key",
		],
		["a key that is missing stands where it should be", CONFIG.replace("{ arch: x64 }", "{}"), "2:11 images.ubuntu.arch: is missing"],
		["a part that is missing stands at the top", CONFIG.replace("owners", "#"), "2:1 owners: is missing"],
		["a list is counted into", CONFIG.replace("[self-hosted, linux, x64]", "a, ''"), "4:60 presets.small.labels.1: "],
		["an item of a list of mappings too", CONFIG.replace("octo-org }", "octo-org, endpoint: x }"), "1:38 owners.0.endpoint: "],
		["a name may hold dots", CONFIG.replaceAll("small", "small.v2").replace("cpu: 2,", "cpu: no,"), "4:33 presets.small.v2.cpu: "],
		[
			"of two names the longer is meant",
			CONFIG.replace("  small:", "  small.v2: { tier: build, cpu: no, image: ubuntu }\n  small:"),
			"4:33 presets.small.v2.cpu: ",
		],
		[
			"what an alias stands for is where it is written",
			CONFIG.replace("{ arch: x64 }", "&u { arch: x86 }").replace("{ arch: arm64 }", "*u"),
			"2:30 images.arm.arch: ",
		],
		["a text that is not YAML stands at its line", CONFIG.replace("tiers:", "tiers: ["), "9:1 "],
		["a doubled key stands at its line", `${CONFIG}owners: []\n`, "20:1 Map keys must be unique"],
		["a number without end is told: it would be lost on its way", CONFIG.replace("cpu: 16", "cpu: .inf"), "10:1 .inf is no number"],
		["what is not a number either", CONFIG.replace("ram: 64", "ram: .NaN"), "10:1 .NaN is no number"],
		["an empty file stands at its start", "", "1:1 "],
		["a list for the file stands at its start", "- a\n", "1:1 owners: is missing"],
		["an alias to nothing is told", "owners: *x\n", "1:1 Unresolved alias"],
		["aliases that grow into billions are told", bomb(), "1:1 Excessive alias count"],
		["brackets without end are told", "[".repeat(50_000), "1:1 "],
	];
	for (const [claim, text, start] of rows)
		test(claim, () =>
			expect(saidOf(text)).toContainEqual(expect.stringMatching(new RegExp(`^${start.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`))),
		);
});

function bomb(): string {
	const list = (name: string) => `[${Array(9).fill(`*${name}`).join(", ")}]`;
	return ["a: &a [x, y]", ...[..."bcdefghij"].map((name, at) => `${name}: &${name} ${list("abcdefghi".charAt(at))}`)].join("\n");
}
