// Whatever a repository holds, lint answers: with problems that stand within their files.
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { checkConfig, checkPresets } from "../../cli/lint/check-config.ts";
import { checkWorkflow } from "../../cli/lint/check-workflow.ts";
import type { LintProblem } from "../../cli/lint/problem.ts";
import { CONFIG, lint } from "./repository.ts";

setDefaultTimeout(120_000);

const { config } = checkConfig("mayfly.yml", CONFIG);
const root = join(import.meta.dir, "..", "..");
const FLOW = `${readFileSync(join(root, "local/example.yml"), "utf8")}
  ship:
    strategy: { matrix: { on: [a, "\${{ inputs.x }}"], include: [{ on: b, v: 1 }], exclude: [{ on: a }] } }
    runs-on: { group: g, labels: ["mayfly=\${{ github.run_id }}/runner=\${{ matrix.on }}"] }
    environment: { name: production }
    permissions: { id-token: write }
`.split("\n");
const FILE = readFileSync(join(root, "docs/mayfly.example.yml"), "utf8").split("\n");
const LINES = [
	...[
		"",
		"\t",
		"  - *x",
		"&a *a",
		"    ? [",
		"${{",
		"'",
		"- [",
		"---",
		"? {a: 1}",
		"<<: *a",
		"__proto__: { a: 1 }",
		"%YAML 1.1",
		"  toString:",
	],
	...[
		"    runs-on: ${{ matrix }}",
		"    runs-on: ${{ (inputs.a && (github.ref || ')') || inputs['b||'] && !vars.c || matrix }}",
		"    runs-on: [[], {}]",
		"    runs-on: { labels: { a: 1 } }",
		"    runs-on: ${{ fromJSON('[[1],{}]') }}",
	],
	...[
		"    runs-on: ${{ github.*.x['a'] }}",
		"    strategy: ${{ x }}",
		"    permissions: [a]",
		"on: { a: , b }",
		"jobs: {1: {runs-on: 1}}",
		"  *x :",
	],
	...[
		"permissions: { constructor: write }",
		"    environment: [a]",
		"presets: { constructor: { tier: toString } }",
		"tiers: { a.b: { allow: } }",
	],
];

/** A file of lines with some replaced, or put in between. */
const damaged = (lines: string[]) =>
	fc
		.tuple(fc.array(fc.record({ at: fc.nat(lines.length - 1), line: fc.constantFrom(...LINES) }), { maxLength: 4 }), fc.boolean())
		.map(([changes, between]) => {
			const changed = [...lines];
			for (const { at, line } of changes) changed.splice(at, between ? 0 : 1, line);
			return changed.join("\n");
		});
const anything = fc.oneof(
	fc.string({ unit: "binary" }),
	fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value)),
	fc
		.jsonValue({ maxDepth: 3 })
		.map((value) => JSON.stringify({ on: "push", jobs: { a: value, b: { "runs-on": value, strategy: { matrix: value } } } })),
	fc.nat(1000).map((depth) => `on: push\njobs: {a: {runs-on: ${"[".repeat(depth)}${"]".repeat(depth)}}}`),
);

function expectWithin(text: string, problems: LintProblem[]): void {
	const lengths = text.split("\n").map(({ length }) => length);
	const outside = problems.filter(({ line, column }) => !(line >= 1 && column >= 1 && column <= (lengths[line - 1] ?? -1) + 1));
	expect(outside).toEqual([]);
	expect(problems.filter(({ message }) => /undefined|\[object/.test(message))).toEqual([]);
}

test("whatever a workflow holds, the answer is problems within it", () => {
	fc.assert(
		fc.property(fc.oneof(damaged(FLOW), anything), fc.boolean(), (text, withConfig) => {
			expectWithin(text, checkWorkflow("w.yml", ".github/workflows/w.yml", text, withConfig ? config : null).problems);
		}),
		{ numRuns: 400 },
	);
});

test("whatever a mayfly.yml holds, the answer is a config or problems within it", () => {
	fc.assert(
		fc.property(fc.oneof(damaged(FILE), anything), (text) => {
			const { config, problems } = checkConfig("mayfly.yml", text);
			expect(config === null).toBe(problems.length > 0);
			expectWithin(text, [...problems, ...checkPresets("mayfly.yml", text)]);
		}),
		{ numRuns: 400 },
	);
});

test("a repository of damaged files is checked to the end", async () => {
	const texts = fc.sample(fc.oneof(damaged(FLOW), anything), 150);
	const workflows = Object.fromEntries(texts.map((text, at) => [`.github/workflows/${at}.yml`, text]));
	const { code, out, err } = await lint({ "mayfly.yml": CONFIG, ...workflows }, "--json");
	const report = JSON.parse(out);
	expect([report.workflows, report.counts.errors > 0, code, err]).toEqual([150, true, 1, ""]);
});
