import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { problemLine, readWorkflow } from "../../local/workflow/read.ts";

function problems(text: string): string[] {
	const reading = readWorkflow("w.yml", text);
	return reading.ok ? [] : reading.problems.map(problemLine);
}
const withMatrix = (...lines: string[]) =>
	problems(["jobs:", "  one:", "    runs-on: linux", "    steps: [{run: x}]", "    strategy:", "      matrix:", ...lines].join("\n"));

describe("a file that cannot be understood", () => {
	const rows: [string, string, string][] = [
		["empty", "", "w.yml:1: the file is empty: a workflow needs jobs"],
		["only a comment", "# later\n", "w.yml:1: the file is empty: a workflow needs jobs"],
		["a list", "- a\n", "w.yml:1: a workflow file must be a mapping (key: value)"],
		["a text", "hello", "w.yml:1: a workflow file must be a mapping (key: value)"],
		["a tab", "jobs:\n\ta: 1\n", "w.yml:2: not valid YAML: Tabs are not allowed as indentation"],
		["an open quote", 'on: push\nname: "x\n', 'w.yml:2: not valid YAML: Missing closing "quote'],
		["a wrong indentation", "on: push\njobs:\n  a:\n b: 1\n", "w.yml:4: not valid YAML: "],
		["two documents", "on: push\n---\non: push\n", "w.yml:2: not valid YAML: "],
		["an unknown tag", "on: !x push\njobs: {a: {runs-on: x, steps: [{run: x}]}}", "w.yml:1: not valid YAML: Unresolved tag"],
		["an alias to nothing", "on: *x\n", "w.yml:1: nothing before it is named &x, so *x stands for nothing"],
		["brackets without end", "[".repeat(100_000), "w.yml:1: the file is nested too deeply"],
	];
	for (const [name, text, first] of rows) test(name, () => expect(problems(text)[0]).toStartWith(first));

	test("aliases that unfold into billions are cut off", () => {
		const list = (from: string) => `[${Array(9).fill(`*${from}`).join(", ")}]`;
		const chain = [..."bcdefghi"].map((name, at) => `        ${name}: &${name} ${list("abcdefgh".charAt(at))}`);
		const found = withMatrix("        a: &a [x, y]", ...chain);
		expect(found).toContainEqual(expect.stringMatching(/^w\.yml:\d+: the file uses aliases \(\*name\) more than 1000 times$/));
	});

	test("an alias within what it names is cut off", () => expect(withMatrix("        a: &a [*a]")).not.toEqual([]));
});

test("whatever a file holds, the answer is a workflow or problems with lines of that file", () => {
	const example = readFileSync(join(import.meta.dir, "../../local/example.yml"), "utf8").split("\n");
	const change = fc.record({
		at: fc.nat(example.length - 1),
		line: fc.constantFrom("", "\t", "  - *x", "    needs: [build]", "&a *a", "    ? [", "${{", "  soak: 1", "'"),
	});
	fc.assert(
		fc.property(fc.array(change, { maxLength: 4 }), fc.boolean(), (changes, twice) => {
			const lines = [...example];
			for (const { at, line } of changes) lines.splice(at, twice ? 0 : 1, line);
			const reading = readWorkflow("w.yml", lines.join("\n"));
			const found = reading.ok ? [] : reading.problems;
			expect(reading.ok || found.length > 0).toBe(true);
			expect(found.every(({ line }) => line >= 1 && line <= lines.length + 1)).toBe(true);
			expect(found.map(({ line }) => line)).toEqual(found.map(({ line }) => line).toSorted((a, b) => a - b));
		}),
		{ numRuns: 500 },
	);
	fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void readWorkflow("w.yml", text)));
});
