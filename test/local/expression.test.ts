import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ExpressionError, evaluate, evaluateValue } from "../../local/workflow/expression.ts";

const contexts = {
	github: { run_id: 42, ref: "refs/heads/Main", event: { labels: [{ name: "bug" }, { name: "ui" }] }, empty: "" },
	matrix: { os: "linux", node: 20, flag: true, none: null, "with-dash": "d" },
	needs: { a: { result: "success", outputs: { x: "1" } }, b: { result: "failure", outputs: { y: "2" } } },
	env: { NAME: "value" },
};

const values: [string, unknown][] = [
	["true", true],
	["null", null],
	["42", 42],
	["-1.5", -1.5],
	["0xff", 255],
	["0o17", 15],
	["1e3", 1000],
	["'it''s'", "it's"],
	["github.run_id", 42],
	["GitHub.RUN_ID", 42],
	["github['ref']", "refs/heads/Main"],
	["github.nothing", null],
	["github.nothing.deeper", null],
	["github.run_id.deeper", null],
	["matrix.with-dash", "d"],
	["matrix[format('{0}s', 'o')]", "linux"],
	["github.event.labels[1].name", "ui"],
	["github.event.labels[7]", null],
	["github.event.labels.*.name", ["bug", "ui"]],
	["github.event.labels[*].name", ["bug", "ui"]],
	["needs.*.result", ["success", "failure"]],
	["needs.*.outputs.x", ["1"]],
	["contains(needs.*.result, 'failure')", true],
	["1 == '1'", true],
	["'a' == 'A'", true],
	["null == 0", true],
	["null == ''", true],
	["true == 1", true],
	["'abc' == 0", false],
	["'' == 0", true],
	["github == github", true],
	["github == matrix", false],
	["github.event == 'Object'", false],
	["1 != 2", true],
	["1 < 2", true],
	["'b' > 'A'", true],
	["'10' <= 9", false],
	["'x' < 1", false],
	["'x' >= 1", false],
	["2 >= 2", true],
	["!true", false],
	["!!github.empty", false],
	["!'0'", false],
	["true && 'yes' || 'no'", "yes"],
	["false && 'yes' || 'no'", "no"],
	["'' || 0 || 'last'", "last"],
	["1 == 1 == true", true],
	["false || true && false", false],
	["(false || true) && 'x'", "x"],
	["1 < 2 == true", true],
	["contains('Hello', 'ELL')", true],
	["contains(fromJSON('[1,2]'), '2')", true],
	["contains(github.event, 'x')", false],
	["startsWith(github.ref, 'REFS/')", true],
	["endsWith('abc', 'bc')", true],
	["format('{0}-{1}-{0}', 'a', 1)", "a-1-a"],
	["format('{{0}} {0}', true)", "{0} true"],
	["join(needs.*.result)", "success,failure"],
	["join(fromJSON('[1,null,true]'), ' + ')", "1 +  + true"],
	["join('one', '+')", "one"],
	["toJSON(matrix.node)", "20"],
	["toJSON(null)", "null"],
	["toJSON(fromJSON('{\"a\":[1]}'))", '{\n  "a": [\n    1\n  ]\n}'],
	['fromJSON(\'{"a":{"b":[1,2]}}\').a.b[1]', 2],
	["tojson('x')", '"x"'],
];

const wrong: [string, RegExp][] = [
	["", /expected between/],
	["1 +", /unexpected symbol '\+'/],
	['"double"', /unexpected symbol/],
	["'open", /unexpected symbol|not closed/],
	["(1", /unexpected end/],
	["1 2", /unexpected '2'/],
	["github.", /unexpected end/],
	["github[", /unexpected end/],
	["github..ref", /unexpected '\.'/],
	["== 1", /unexpected '=='/],
	["secrets.TOKEN", /there is no 'secrets'/],
	["toString", /there is no 'toString'/],
	["constructor('x')", /unknown function 'constructor'/],
	["hashFiles('x')", /unknown function 'hashFiles'/],
	["contains('a')", /does not take 1 argument$/],
	["format('{1}', 'a')", /no argument for \{1\}/],
	["format('{x}')", /brace/],
	["fromJSON('{')", /not JSON/],
	[`${"(".repeat(60)}1${")".repeat(60)}`, /50 levels/],
	[`${"!".repeat(60)}1`, /50 levels/],
	["1".repeat(21_001), /21000 characters/],
];

describe("expressions", () => {
	for (const [source, value] of values)
		test(`${source} is ${JSON.stringify(value)}`, () => expect(evaluateValue(`\${{ ${source} }}`, contexts)).toEqual(value));

	for (const [source, reason] of wrong)
		test(`${source.slice(0, 30)} is refused`, () => {
			expect(() => evaluateValue(`\${{ ${source} }}`, contexts)).toThrow(ExpressionError);
			expect(() => evaluateValue(`\${{ ${source} }}`, contexts)).toThrow(reason);
		});
});

describe("templates", () => {
	const texts: [string, string][] = [
		["plain $HOME ${x} {{ y }}", "plain $HOME ${x} {{ y }}"],
		["", ""],
		["a ${{ matrix.node }} b ${{matrix.os}}", "a 20 b linux"],
		["${{ null }}|${{ true }}|${{ 1.50 }}|${{ -0 }}|${{ github }}|${{ needs.*.result }}", "|true|1.5|0|Object|Array"],
		["${{ '}}' }}!", "}}!"],
		["${{ 'it''s }}' }}", "it's }}"],
		["line\n${{ env.name }}\n", "line\nvalue\n"],
		["${{ 0.1 }} ${{ 1e3 }}", "0.1 1000"],
	];
	for (const [template, text] of texts)
		test(`${JSON.stringify(template)} gives ${JSON.stringify(text)}`, () => expect(evaluate(template, contexts)).toBe(text));

	test("an expression that is not closed is refused", () => expect(() => evaluate("a ${{ 'x }}", contexts)).toThrow("not closed"));

	test("whatever is written, the answer is a text or an ExpressionError", () => {
		const piece = fc.constantFrom(
			"${{",
			"}}",
			"'",
			"github",
			".",
			"*",
			"[",
			"]",
			"(",
			")",
			"!",
			"==",
			"&&",
			"1",
			"x",
			" ",
			"fromJSON",
			",",
			"__proto__",
		);
		fc.assert(
			fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
				try {
					expect(typeof evaluate(pieces.join(""), contexts)).toBe("string");
				} catch (error) {
					expect(error).toBeInstanceOf(ExpressionError);
				}
			}),
			{ numRuns: 3000 },
		);
	});
});
