// contract/mayfly.schema.json: the schema that editors use is the parser's own, written down another way.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv";
import * as fc from "fast-check";
import { parse } from "yaml";
import { partsOf, schemaOfFile, schemaText } from "../../build/schema.ts";
import { formOf } from "../../build/schema-forms.ts";
import { parseMayflyYaml } from "../../contract/config-yaml.ts";
import { parseMayflyYml, readDuration } from "../../contract/mayfly-yml.ts";
import { readFamilies, readRange, readSpot } from "../../contract/size.ts";

const root = join(import.meta.dir, "..", "..");
const textOf = (file: string) => readFileSync(join(root, file), "utf8");
const schema = JSON.parse(textOf("contract/mayfly.schema.json"));
const ajv = new Ajv({ strict: true, strictTypes: false, allErrors: true });
const validate = ajv.compile(schema);
const complaints = (value: unknown) => (validate(value) ? [] : (validate.errors ?? []).map((error) => error.instancePath + error.message));
const parses = (value: unknown) => parseMayflyYml(structuredClone(value)).ok;

const EXAMPLES = ["local/mayfly.yml", "docs/mayfly.example.yml"];

describe("the JSON Schema of mayfly.yml", () => {
	test("is what `bun run schema` writes", () => {
		expect(textOf("contract/mayfly.schema.json")).toBe(schemaText());
	});

	test("is a valid JSON Schema", () => {
		expect([ajv.validateSchema(schema), ajv.errors]).toEqual([true, null]);
	});

	test("says of every key what it means: build/schema-words.ts", () => {
		const silent = partsOf(schemaOfFile()).filter(({ schema }) => schema.description === undefined);
		expect(silent.map(({ path }) => path)).toEqual([]);
	});

	test.each(EXAMPLES)("takes %s, as the parser does", (file) => {
		const read = parseMayflyYaml(textOf(file));
		expect(read.ok ? [] : read.problems).toEqual([]);
		expect(complaints(parse(textOf(file)))).toEqual([]);
	});

	test("is named by the example, so that an editor finds it", () => {
		const [, named = ""] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(textOf("docs/mayfly.example.yml")) ?? [];
		expect(join("docs", named)).toBe("contract/mayfly.schema.json");
	});
});

/** The example leaves out what only a release can say. */
const RUNNER = { version: "2.400.0", sha256: { x64: "ab".repeat(32), arm64: "cd".repeat(32) } };
const example = { ...parse(textOf("docs/mayfly.example.yml")), runner: RUNNER };
example.tiers.deploy.egress = { groups: ["github"], hosts: ["api.example.com"] };

/** A file without problems, changed at one place. */
function changed(path: string, value: unknown): Record<string, unknown> {
	const file = structuredClone(example);
	const keys = path.split(".");
	const last = keys.pop() ?? "";
	const part = keys.reduce((at, key) => at[key], file);
	if (value === undefined) delete part[last];
	else part[last] = value;
	return file;
}

describe("the schema and the parser", () => {
	test.each([
		["an unknown key", "colour", "red"],
		["an unknown key of a preset", "presets.small.disk", 40],
		["a runner without a version", "runner.version", undefined],
		["a runner of a line of versions", "runner.version", "2.400"],
		["a checksum that is none", "runner.sha256.x64", "AB"],
		["an unknown key of a rule", "tiers.deploy.allow.branches", ["main"]],
		["a missing part", "images", undefined],
		["a missing cpu", "presets.small.cpu", undefined],
		["no owner", "owners", []],
		["a list for a text", "presets.small.image", ["ubuntu24-x64"]],
		["a text for a list", "tiers.deploy.allow.events", "push"],
		["a text for a flag", "acceptRunsOnLabels", "yes"],
		["a text for an id", "owners.0.runnerGroupId", "3"],
		["an id of 0", "owners.0.runnerGroupId", 0],
		["a broken id", "owners.0.installationId", 1.5],
		["a name with a space", "owners.0.name", "octo org"],
		["an endpoint that does not exist", "owners.0.endpoint", "enterprise"],
		["an architecture that does not exist", "images.ubuntu24-x64.arch", "x86_64"],
		["something else than an image id", "images.ubuntu24-x64.ami", "ubuntu"],
		["a kind that does not exist", "tiers.build.kind", "test"],
		["a duration without a unit", "limits.idle", 10],
		["a duration in words", "limits.idle", "10 minutes"],
		["a duration in a unit that does not exist", "limits.idle", "2w"],
		["a range of three", "presets.small.cpu", "2+4+8"],
		["cpus in words", "presets.small.cpu", "two"],
		["no cpu at all", "presets.small.cpu", 0],
		["cpu as a flag", "presets.small.cpu", true],
		["a family with a slash", "presets.small.family", "m7i/m8g"],
		["a word for spot that does not exist", "presets.small.spot", "cheapest"],
		["an empty label", "presets.small.labels", [["  "]]],
		["an empty set of labels", "presets.small.labels", [[]]],
		["an empty pattern", "tiers.deploy.allow.refs", [""]],
		["a ceiling without memory", "tiers.build.ceiling", { cpu: 4 }],
	])("both refuse %s", (_, path, value) => {
		const file = changed(path, value);
		expect([parses(file), validate(file)]).toEqual([false, false]);
	});

	test.each([
		["null where a default may be", "presets.small.ram", null],
		["a number as range", "presets.small.ram", 7.5],
		["RunsOn's words for spot, in any case", "presets.small.spot", "Never"],
		["one label instead of a set", "presets.small.labels", ["linux-small"]],
		["families in any case", "presets.arm.family", "C8G.large+m8g*"],
		["a tier that admits everything", "tiers.deploy.allow", {}],
	])("both take %s", (_, path, value) => {
		const file = changed(path, value);
		expect([parses(file), complaints(file)]).toEqual([true, []]);
	});

	test("differ only one way: what the parser takes, the schema takes", () => {
		const places = partsOf(schema)
			.map(({ path }) =>
				path.replace("owners[]", "owners.0").replace("presets.*", "presets.small").replace("images.*", "images.ubuntu24-x64"),
			)
			.map((path) => path.replace("tiers.*", "tiers.deploy").replace("labels[]", "labels.0"));
		const value = fc.oneof(
			fc.constantFrom<unknown>(
				null,
				true,
				false,
				0,
				1,
				2.5,
				7,
				"",
				" ",
				"4",
				"2+8",
				"8+2",
				"90s",
				"9d",
				"true",
				"PCO",
				"m7i",
				[],
				{},
				[[]],
				["x"],
			),
			fc.jsonValue({ maxDepth: 2 }),
		);
		let taken = 0;
		fc.assert(
			fc.property(fc.constantFrom(...new Set(places)), value, (path, value) => {
				const at = path.includes("ceiling.") ? path.replace("deploy", "build") : path;
				const file = changed(at, value);
				if (!parses(file)) return;
				taken += 1;
				// valibot takes an empty list for an empty mapping; an editor may say that it is none.
				const stricter = complaints(file).filter((complaint) => !complaint.endsWith("must be object"));
				expect([at, value, stricter]).toEqual([at, value, []]);
			}),
			{ numRuns: 1000 },
		);
		expect(taken).toBeGreaterThan(20);
	});

	test.each([
		["ranges", readRange, "2+8"],
		["durations", readDuration, "90s"],
		["families", readFamilies, "m7i.*+c7"],
		["spot", readSpot, "pCo"],
	] as const)("agree on the form of %s", (_, read, example) => {
		const form = ajv.compile(formOf(read));
		const near = fc
			.array(fc.oneof(fc.constantFrom(...example, ..."0+.*smhdA- \n"), fc.string({ minLength: 1, maxLength: 1 })))
			.map((it) => it.join(""));
		expect([form(example), read(example).ok]).toEqual([true, true]);
		fc.assert(
			fc.property(fc.oneof(near, fc.stringMatching(/^[0-9]{1,3}(ms|s|m|h|d|\+[0-9]{2,4})?$/)), (text) => {
				if (read(text).ok) expect([text, form(text)]).toEqual([text, true]);
				// The form is as strict but for what compares amounts.
				else if (read !== readRange) expect([text, form(text)]).toEqual([text, false]);
			}),
			{ numRuns: 2000 },
		);
	});
});
