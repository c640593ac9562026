import { describe, expect, test } from "bun:test";
import { problemLine, readWorkflow } from "../../local/workflow/read.ts";

function problems(text: string): string[] {
	const reading = readWorkflow("w.yml", text);
	return reading.ok ? [] : reading.problems.map(problemLine);
}
/** A workflow of one sound job, with these lines in its place: the job's from line 5, the step's own from line 7. */
const withJob = (...lines: string[]) =>
	problems(["on: push", "jobs:", "  one:", "    runs-on: linux", ...lines, "    steps:", '    - run: "true"'].join("\n"));
const withStep = (...lines: string[]) =>
	problems(
		["on: push", "jobs:", "  one:", "    runs-on: linux", "    steps:", "    -", ...lines.map((line) => `      ${line}`)].join("\n"),
	);
const withTop = (...lines: string[]) => problems(["jobs: {one: {runs-on: linux, steps: [{run: x}]}}", ...lines].join("\n"));

describe("a workflow", () => {
	const rows: [string, string[], string[]][] = [
		["without jobs", problems("on: push\nname: x\n"), ["w.yml:1: the workflow has no jobs"]],
		["with empty jobs", problems("on: push\njobs:\n"), ["w.yml:2: jobs has no job"]],
		[
			"with keys it may have on GitHub",
			withTop("concurrency: x", "defaults: {}", "run-name: x"),
			[
				"w.yml:2: unsupported key concurrency in the workflow",
				"w.yml:3: unsupported key defaults in the workflow",
				"w.yml:4: unsupported key run-name in the workflow",
			],
		],
		["with a key twice", withTop("env: {A: b}", "env: {C: d}"), ["w.yml:3: the key env appears twice"]],
		["with a name twice but for case", withTop("env: {Name: b, NAME: d}"), ["w.yml:2: the key NAME appears twice (before as Name)"]],
		[
			"with env of a later moment",
			withTop("env: {A: '${{ matrix.x }}'}"),
			["w.yml:2: the context matrix is not available in A of env of the workflow; there is github"],
		],
		[
			"with permissions that are none",
			withTop("permissions: all"),
			["w.yml:2: permissions of the workflow must be read-all, write-all or a mapping"],
		],
	];
	for (const [name, found, expected] of rows) test(name, () => expect(found).toEqual(expected));
});

describe("a job", () => {
	const rows: [string, string[], string[]][] = [
		["empty", problems("jobs:\n  a: {}\n"), ["w.yml:2: job a has no runs-on", "w.yml:2: job a has no steps"]],
		["nothing", problems("jobs:\n  a:\n"), ["w.yml:2: job a must be a mapping (key: value)"]],
		[
			"misnamed",
			problems("jobs:\n  1a: {runs-on: x, steps: [{run: x}]}\n"),
			["w.yml:2: the name of job 1a must begin with a letter or _ and hold only letters, digits, - and _"],
		],
		["without labels", problems("jobs:\n  a:\n    runs-on: []\n    steps: [{run: x}]\n"), ["w.yml:3: runs-on of job a is empty"]],
		[
			"with a runner group",
			problems("jobs:\n  a:\n    runs-on: {group: x}\n    steps: [{run: x}]\n"),
			["w.yml:3: runs-on of job a must be a text, not a list or mapping"],
		],
		[
			"without steps",
			problems("jobs:\n  a:\n    runs-on: x\n    steps: []\n"),
			["w.yml:4: steps of job a must be a list with at least one step"],
		],
		[
			"of another workflow",
			problems("jobs:\n  a:\n    uses: ./other.yml\n"),
			["w.yml:3: unsupported uses: ./other.yml (job a): reusable workflows are not run here"],
		],
		[
			"with what is not run here",
			withJob("    if: always()", "    container: node", "    services: {}", "    environment: { url: x, deployment: false }"),
			[
				"w.yml:5: unsupported key if in job one",
				"w.yml:6: unsupported key container in job one",
				"w.yml:7: unsupported key services in job one",
				"w.yml:8: unsupported key deployment in the environment of job one",
				"w.yml:8: the environment of job one has no name",
			],
		],
		[
			"that needs nobody known",
			withJob("    needs: [two, three]"),
			["w.yml:5: job one needs two, which is no job of this workflow", "w.yml:5: job one needs three, which is no job of this workflow"],
		],
		["that needs itself", withJob("    needs: one"), ["w.yml:5: job one waits for itself: one needs one"]],
		[
			"with a sibling's failure counted",
			withJob("    strategy:", "      fail-fast: true", "      max-parallel: 2"),
			[
				"w.yml:6: unsupported fail-fast of job one: only false, legs are not cancelled by a sibling here",
				"w.yml:7: unsupported key max-parallel in strategy of job one",
			],
		],
		[
			"with a matrix that is none",
			withJob("    strategy: {matrix: {a: [], b: 1, include: {}, exclude: [{z: 1}]}}"),
			[
				"w.yml:5: a of the matrix of job one must be a list with at least one value",
				"w.yml:5: b of the matrix of job one must be a list with at least one value",
				"w.yml:5: include of the matrix of job one must be a list of mappings",
				"w.yml:5: exclude of the matrix of job one names z, which the matrix does not have",
			],
		],
		[
			"with a matrix of a later moment",
			withJob("    strategy:", "      matrix: ${{ fromJSON(needs.a.outputs.m) }}"),
			["w.yml:6: unsupported expression for the matrix of job one: its values are read before any job runs"],
		],
		[
			"with no leg left",
			withJob("    strategy: {matrix: {a: [1], exclude: [{a: 1}]}}"),
			["w.yml:5: the matrix of job one gives no job at all"],
		],
		[
			"with too many legs",
			withJob(`    strategy: {matrix: {a: [${Array(17).fill("x")}], b: [${Array(17).fill("y")}]}}`),
			["w.yml:5: the matrix of job one gives 289 jobs; GitHub takes 256"],
		],
		[
			"with a matrix like a bomb",
			withJob(`    strategy: {matrix: {${[..."abcdefgh"].map((name) => `${name}: [${Array(99).fill("x")}]`)}}}`),
			["w.yml:5: the matrix of job one gives more than 256 jobs"],
		],
		[
			"with a timeout that is none",
			withJob("    timeout-minutes: soon"),
			["w.yml:5: timeout-minutes of job one must be a number of minutes above 0"],
		],
		[
			"with env in its labels",
			problems("jobs: {a: {runs-on: ['${{ env.X }}'], steps: [{run: x}]}}"),
			["w.yml:1: the context env is not available in runs-on of job a; there is github, matrix, needs"],
		],
	];
	for (const [name, found, expected] of rows) test(name, () => expect(found).toEqual(expected));

	test("jobs that wait for each other are named once, in their order", () => {
		const job = (key: string, needs: string) => `  ${key}:\n    needs: [${needs}]\n    runs-on: x\n    steps: [{run: x}]\n`;
		const found = problems(`jobs:\n${job("a", "b")}${job("b", "c")}${job("c", "b")}${job("d", "c, e")}${job("e", "")}`);
		expect(found).toEqual(["w.yml:7: job b waits for itself: b needs c needs b"]);
	});

	test("a ladder of a hundred needs is read at once", () => {
		const jobs = Array.from(
			{ length: 100 },
			(_, at) => `  j${at}: {runs-on: x, steps: [{run: x}], needs: [${at < 2 ? "" : `j${at - 1}, j${at - 2}`}]}`,
		);
		expect(problems(`jobs:\n${jobs.join("\n")}`)).toEqual([]);
	});
});

describe("a step", () => {
	const rows: [string, string[], string[]][] = [
		[
			"that uses an action",
			withStep("uses: actions/checkout@v4", "with: {ref: main}"),
			["w.yml:7: unsupported uses: actions/checkout@v4 (step 1 of job one): actions are not run here, only run: steps are"],
		],
		[
			"with both run and uses",
			withStep("run: x", "uses: a/b@v1"),
			[
				"w.yml:8: step 1 of job one has both run and uses; a step has one of them",
				"w.yml:8: unsupported uses: a/b@v1 (step 1 of job one): actions are not run here, only run: steps are",
			],
		],
		["with neither", withStep("name: x"), ["w.yml:7: step 1 of job one has neither run nor uses"]],
		["with an empty run", withStep("run:"), ["w.yml:7: run of step 1 of job one is empty"]],
		["with another shell", withStep("run: x", "shell: pwsh"), ["w.yml:8: unsupported shell 'pwsh' of step 1 of job one: only bash"]],
		["with a condition", withStep("run: x", "if: failure()"), ["w.yml:8: unsupported key if in step 1 of job one"]],
		[
			"with an id that is none",
			withStep("run: x", "id: 'a b'"),
			["w.yml:8: id of step 1 of job one must begin with a letter or _ and hold only letters, digits, - and _"],
		],
		[
			"with a flag that is none",
			withStep("run: x", "continue-on-error: maybe"),
			["w.yml:8: continue-on-error of step 1 of job one must be true or false"],
		],
		["with env that is none", withStep("run: x", "env: [A]"), ["w.yml:8: env of step 1 of job one must be a mapping (key: value)"]],
		["with a list to run", withStep("run: [x]"), ["w.yml:7: run of step 1 of job one must be a text, not a list or mapping"]],
		[
			"with expressions that are not evaluated here, each at its own line",
			withStep(
				"run: |",
				"  a ${{ github.sha }}",
				"  b ${{ secrets.T }} ${{ vars.V }}",
				"  c ${{ hashFiles('x') }}",
				"  d ${{ contains('x') }}",
				"  e ${{ 1 + }}",
				"  f ${{ x",
			),
			[
				"w.yml:9: unsupported context secrets in run of step 1 of job one",
				"w.yml:9: unsupported context vars in run of step 1 of job one",
				"w.yml:10: unsupported function hashFiles() in run of step 1 of job one",
				"w.yml:11: contains() does not take 1 arguments (run of step 1 of job one)",
				"w.yml:12: unexpected symbol '+' in expression '1 +' (run of step 1 of job one)",
				"w.yml:13: the expression is not closed: ${{ has no }} (run of step 1 of job one)",
			],
		],
	];
	for (const [name, found, expected] of rows) test(name, () => expect(found).toEqual(expected));

	test("two steps of one job may not share an id", () => {
		const found = problems("jobs:\n  a:\n    runs-on: x\n    steps:\n    - {run: x, id: s}\n    - {run: x, id: S}\n");
		expect(found).toEqual(["w.yml:6: two steps of job a have the id S"]);
	});
});
