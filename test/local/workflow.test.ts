import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { legsOf, type Matrix } from "../../local/workflow/matrix.ts";
import type { Workflow } from "../../local/workflow/model.ts";
import { problemLine, readWorkflow } from "../../local/workflow/read.ts";

const local = (name: string) => readFileSync(join(import.meta.dir, "../../local", name), "utf8");

function read(text: string): Workflow {
	const reading = readWorkflow("w.yml", text);
	if (!reading.ok) throw new Error(reading.problems.map(problemLine).join("\n"));
	return reading.workflow;
}
const jobOf = (lines: string) => read(`on: push\njobs:\n  one:\n    runs-on: linux\n    steps: [{run: "true"}]\n${lines}`).jobs[0];

test("the workflows that the local command runs by itself are read", () => {
	expect(read(local("one-job.yml")).jobs.map(({ key }) => key)).toEqual(["job"]);
	const { name, jobs } = read(local("example.yml"));
	expect(name).toBe("example");
	expect(jobs.map(({ key, needs, matrix }) => [key, needs.length, matrix.length])).toEqual([
		["plan", 0, 1],
		["build", 1, 3],
		["nightly", 0, 1],
		["soak", 0, 1],
		["publish", 2, 1],
	]);
	expect(jobs.filter(({ continueOnError }) => continueOnError).map(({ key }) => key)).toEqual(["nightly"]);
	expect(jobs.find(({ key }) => key === "soak")?.env).toEqual({ MAYFLY_LOCAL_SPOT_INTERRUPTION: "1s" });
});

test("every supported key arrives, with the line its step begins at", () => {
	const workflow = read(`
name: all
on: {push: {branches: [main]}, workflow_dispatch: }
permissions: {id-token: write, contents: read}
env: {A: 1, B: true, C: , D: 1.50, E: text, F: "\${{ github.sha }}"}
jobs:
  first:
    name: first \${{ matrix.os }}
    runs-on: [self-hosted, "\${{ matrix.os }}", 22]
    permissions: {}
    strategy: {fail-fast: false, matrix: {os: [linux, mac]}}
    continue-on-error: \${{ matrix.os == 'mac' }}
    timeout-minutes: 7
    env: {G: g}
    outputs: {v: "\${{ steps.s.outputs.v }}"}
    steps:
      - name: step \${{ env.A }}
        id: s
        run: |
          echo hi
        shell: bash
        working-directory: sub
        env: {H: "\${{ needs.x.result }}"}
        continue-on-error: true
        timeout-minutes: \${{ fromJSON('3') }}
  second:
    needs: [first, first]
    runs-on: "\${{ fromJSON('[1,2]') }}"
    steps:
    - run: "true"
`);
	expect(workflow).toMatchObject({ file: "w.yml", name: "all", env: { A: "1", B: "true", C: "", D: "1.5", E: "text" } });
	expect(workflow.jobs[0]).toEqual({
		...{ key: "first", line: 7, name: "first ${{ matrix.os }}", needs: [], runsOn: ["self-hosted", "${{ matrix.os }}", "22"] },
		...{ env: { G: "g" }, matrix: [{ os: "linux" }, { os: "mac" }], outputs: { v: "${{ steps.s.outputs.v }}" } },
		...{ continueOnError: "${{ matrix.os == 'mac' }}", timeoutMinutes: 7, workingDirectory: null, idToken: false, environment: null },
		steps: [
			{
				...{ line: 17, id: "s", name: "step ${{ env.A }}", run: "echo hi\n", shell: "bash", env: { H: "${{ needs.x.result }}" } },
				...{ workingDirectory: "sub", continueOnError: true, timeoutMinutes: "${{ fromJSON('3') }}" },
			},
		],
	});
	expect(workflow.jobs[1]).toMatchObject({ needs: ["first"], runsOn: ["${{ fromJSON('[1,2]') }}"], idToken: true });
});

test("a job may ask for an OIDC token only if its own permissions, or else the workflow's, say so", () => {
	const rows: [string, boolean | undefined][] = [
		["", false],
		["permissions: write-all", true],
		["permissions: read-all", false],
		["permissions: {id-token: write}", true],
		["permissions: {id-token: none}", false],
		["permissions:", false],
	];
	for (const [line, idToken] of rows) {
		expect(jobOf(line)?.idToken).toBe(idToken);
		expect(jobOf(line && `    ${line}`)?.idToken).toBe(idToken);
	}
	expect(jobOf("    permissions: {contents: read}\npermissions: write-all")?.idToken).toBe(false);
});

test("an alias stands for what it names, and Windows line ends are line ends", () => {
	const { jobs } = read(
		"jobs:\r\n  a:\r\n    runs-on: &where [linux]\r\n    env: &env {A: b}\r\n    steps: &steps\r\n    - run: x\r\n  b: {runs-on: *where, env: *env, steps: *steps}\r\n",
	);
	expect(jobs[1]).toMatchObject({ runsOn: ["linux"], env: { A: "b" }, steps: [{ run: "x" }] });
});

const matrices: [string, Partial<Matrix>, Matrix["include"]][] = [
	[
		"the first vector varies slowest",
		{ vectors: { a: [1, 2], b: ["x", "y"] } },
		[
			{ a: 1, b: "x" },
			{ a: 1, b: "y" },
			{ a: 2, b: "x" },
			{ a: 2, b: "y" },
		],
	],
	[
		"exclude removes what agrees in part",
		{ vectors: { a: [1, 2], b: ["x", "y"] }, exclude: [{ a: 1 }, { a: 2, b: "y" }] },
		[{ a: 2, b: "x" }],
	],
	["include alone gives its entries", { include: [{ a: 1 }, { a: 1, b: 2 }] }, [{ a: 1 }, { a: 1, b: 2 }]],
	["include may fill up what exclude emptied", { vectors: { a: [1] }, exclude: [{ a: 1 }], include: [{ a: 1 }] }, [{ a: 1 }]],
	["objects are compared by their members", { vectors: { a: [{ n: 1 }, { n: 2 }] }, exclude: [{ a: { n: 1 } }] }, [{ a: { n: 2 } }]],
	// The example of GitHub's page "Running variations of jobs in a workflow".
	[
		"include extends legs whose own values it leaves alone",
		{
			vectors: { fruit: ["apple", "pear"], animal: ["cat", "dog"] },
			include: [
				{ color: "green" },
				{ color: "pink", animal: "cat" },
				{ fruit: "apple", shape: "circle" },
				{ fruit: "banana" },
				{ fruit: "banana", animal: "cat" },
			],
		},
		[
			{ fruit: "apple", animal: "cat", color: "pink", shape: "circle" },
			{ fruit: "apple", animal: "dog", color: "green", shape: "circle" },
			{ fruit: "pear", animal: "cat", color: "pink" },
			{ fruit: "pear", animal: "dog", color: "green" },
			{ fruit: "banana" },
			{ fruit: "banana", animal: "cat" },
		],
	],
];

for (const [claim, matrix, legs] of matrices)
	test(claim, () => expect(legsOf({ vectors: {}, include: [], exclude: [], ...matrix })).toEqual(legs));

test("a matrix without exclude or include has the product of its vectors", () => {
	const vectors = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.uniqueArray(fc.integer(), { minLength: 1, maxLength: 4 }));
	fc.assert(
		fc.property(vectors, (given) => {
			const size = Object.values(given).reduce((product, values) => product * values.length, 1);
			const legs = legsOf({ vectors: given, include: [], exclude: [] });
			expect(legs.length).toBe(Object.keys(given).length === 0 ? 0 : size);
			expect(new Set(legs.map((leg) => JSON.stringify(leg))).size).toBe(legs.length);
		}),
	);
});
