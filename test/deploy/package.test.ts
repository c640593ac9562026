// What is made of the templates: text that CloudFormation can read, by keys that hold the hash of their bytes.
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { codeArchive } from "../../deploy/code-archive.ts";
import { packageStack } from "../../deploy/package.ts";
import { readTemplate, withValues } from "../../deploy/template.ts";

const FOLDER = join(import.meta.dir, "..", "..", "cloudformation");
const templates = Object.fromEntries(
	readdirSync(FOLDER)
		.filter((name) => name.endsWith(".yaml"))
		.map((name) => [name, readFileSync(join(FOLDER, name), "utf8")]),
);
const code = { "../dist/poller.mjs": new Uint8Array([1, 2, 3]) };
const deployed = {
	tiers: ["build", "deploy"],
	configKey: "config/abc.json",
	domainFile: "s3://bucket/egress/d.txt",
	objects: [] as string[],
};
const place = { bucket: "bucket", urlOf: (key: string) => `https://bucket.s3.eu-west-1.amazonaws.com/${key}` };
const packaged = (over: object = {}, sources = { templates, code }) => packageStack(sources, { ...deployed, ...over }, place);
const textOf = (from: string, { artifacts } = packaged()) =>
	new TextDecoder().decode(artifacts.find((artifact) => artifact.from === from)?.body);
const linesBetween = (one: string, other: string) => {
	const [before, after] = [one.split("\n"), other.split("\n")];
	expect(before.length).toBe(after.length);
	return after.filter((line, at) => line !== before[at]).map((line) => line.trim());
};

describe("the package", () => {
	test("names nested templates and code by URL and hash, and fills in the mapping; every other line stays", () => {
		const changed = linesBetween(templates["root.yaml"] ?? "", textOf("root.yaml"));
		const nested = changed.filter((line) => line.startsWith("TemplateURL:"));
		expect(nested.length).toBe(templates["root.yaml"]?.match(/TemplateURL:/g)?.length ?? 0);
		for (const line of nested)
			expect(line).toMatch(/^TemplateURL: "https:\/\/bucket\.s3\.eu-west-1\.amazonaws\.com\/templates\/[a-z]+-[0-9a-f]{32}\.yaml"$/);
		expect(changed.filter((line) => !line.startsWith("TemplateURL:"))).toEqual([
			'Tiers: { One: "build", Two: "deploy", Three: "", Four: "", Five: "" }',
			'Config: { Key: "config/abc.json" }',
			'Egress: { DomainFile: "s3://bucket/egress/d.txt", Objects: "" }',
		]);
		const [ofCode] = linesBetween(templates["poller.yaml"] ?? "", textOf("poller.yaml"));
		expect(ofCode).toMatch(/^Code: \{"S3Bucket":"bucket","S3Key":"code\/poller-[0-9a-f]{32}\.zip"\}$/);
	});

	test("holds each part once, and what names another one behind it", () => {
		const { artifacts, root } = packaged();
		const names = artifacts.map(({ from }) => from);
		expect(names).toEqual([...new Set(names)]);
		expect(names.at(-1)).toBe("root.yaml");
		expect(names.indexOf("poller.zip")).toBeLessThan(names.indexOf("poller.yaml"));
		expect(root.key).toMatch(/^templates\/root-[0-9a-f]{32}\.yaml$/);
	});

	test("is the same for the same, and of a change changes the part and what names it", () => {
		const keys = (made: ReturnType<typeof packaged>) => made.artifacts.map(({ key }) => key);
		expect(keys(packaged())).toEqual(keys(packaged()));
		const other = keys(packaged({}, { templates, code: { "../dist/poller.mjs": new Uint8Array([9]) } }));
		const before = keys(packaged());
		expect(other.filter((key) => !before.includes(key)).map((key) => key.replace(/-[0-9a-f]{32}/, ""))).toEqual([
			"code/poller.zip",
			"templates/poller.yaml",
			"templates/root.yaml",
		]);
		const moreHosts = keys(packaged({ domainFile: "s3://bucket/egress/e.txt" }));
		expect(moreHosts.filter((key) => !before.includes(key))).toHaveLength(1);
	});

	test.each([
		[
			"a template that is not there",
			{ templates: { "root.yaml": templates["root.yaml"] ?? "" }, code },
			"root.yaml: names network.yaml, which is not there",
		],
		["code that is not there", { templates, code: {} }, "poller.yaml: names the code ../dist/poller.mjs, which is not there"],
		[
			"a mapping that is not there",
			{ templates: { "root.yaml": "Resources: {}" }, code },
			"root.yaml: there is no Mappings.Deployed.Tiers.One",
		],
		["a text that is no template", { templates: { "root.yaml": "a: [" }, code }, "root.yaml: "],
		[
			"templates that contain each other",
			{
				templates: { "root.yaml": "Resources: { A: { Type: AWS::CloudFormation::Stack, Properties: { TemplateURL: root.yaml } } }" },
				code,
			},
			"root.yaml: contains itself: root.yaml > root.yaml",
		],
	])("is refused for %s", (_, sources, reason) => {
		expect(() => packaged({}, sources as never)).toThrow(reason);
	});

	test("holds no more tiers than there are places for", () => {
		expect(() => packaged({ tiers: ["a", "b", "c", "d", "e", "f"] })).toThrow("holds 5 tiers, not 6");
	});
});

test("values are put into flows and blocks alike, whatever is in them", () => {
	const text = "A: { b: !Ref X, c: 'd' } # why\nE:\n  f: g # here\n";
	const values = [
		{ path: ["A", "c"], value: 'a "quoted": {text}' },
		{ path: ["E", "f"], value: ["x", { y: "z" }] },
	];
	expect(withValues("t", text, values)).toBe('A: { b: !Ref X, c: "a \\"quoted\\": {text}" } # why\nE:\n  f: ["x",{"y":"z"}] # here\n');
});

test("short tags are read as the long functions that they are", () => {
	expect(
		readTemplate("t", "Resources: {}\nX: [!Ref A, !GetAtt A.B.C, !Sub 'x${A}', !If [C, !Ref A, 1], !Not [!Equals [a, b]]]"),
	).toMatchObject({
		X: [
			{ Ref: "A" },
			{ "Fn::GetAtt": ["A", "B", "C"] },
			{ "Fn::Sub": "x${A}" },
			{ "Fn::If": ["C", { Ref: "A" }, 1] },
			{ "Fn::Not": [{ "Fn::Equals": ["a", "b"] }] },
		],
	});
});

test("the archive holds the one file, and the same bytes at any time", () => {
	const body = new TextEncoder().encode("export const handler = 1;\n");
	const archive = codeArchive("poller.mjs", body);
	expect(Object.keys(unzipSync(archive))).toEqual(["poller.mjs"]);
	expect(unzipSync(archive)["poller.mjs"]).toEqual(body);
	expect(Bun.hash(archive)).toBe(Bun.hash(codeArchive("poller.mjs", body)));
	// The central directory's version made by (3: Unix), its time and date (1 January 1980) and its attributes (rw-r--r--).
	const entry = Buffer.from(archive).subarray(Buffer.from(archive).indexOf("PK\u0001\u0002"));
	expect([entry.readUInt8(5), entry.readUInt16LE(12), entry.readUInt16LE(14), entry.readUInt32LE(38) >>> 16]).toEqual([3, 0, 0x21, 0o644]);
});
