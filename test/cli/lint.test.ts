// `mayfly lint` through its front door: what it finds to check, what it prints, how it exits.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { reportLines } from "../../cli/lint/print.ts";
import { type LintProblem, sorted } from "../../cli/lint/problem.ts";
import { CONFIG, lint, mayfly, withFiles } from "./repository.ts";

setDefaultTimeout(60_000);

const GOOD = `on: push
permissions: { contents: read }
jobs:
  build:
    runs-on: mayfly=\${{ github.run_id }}/runner=small
    steps: [{ run: make }]
`;
const BAD = GOOD.replace("small", "huge");
const WARNED = GOOD.replace("permissions: { contents: read }\n", "");
const flow = (name: string) => `.github/workflows/${name}`;

describe("mayfly", () => {
	test("prints its help when it is asked for nothing or for help", () =>
		withFiles({}, async (folder) => {
			for (const argv of [[], ["--help"]]) {
				const { code, out, err } = await mayfly(folder, ...argv);
				expect([code, err, out.includes("usage: bun run mayfly <command>"), out.includes("lint")]).toEqual([0, "", true, true]);
			}
		}));

	test("refuses a command that it does not have", () =>
		withFiles({}, async (folder) => {
			for (const name of ["lnit", "toString", "--json"]) {
				const { code, out, err } = await mayfly(folder, name);
				expect([code, out]).toEqual([2, ""]);
				expect(err).toStartWith(`there is no command "${name}": there is lint`);
			}
		}));
});

describe("mayfly lint", () => {
	test("has nothing to say of a repository that is in order, and exits with 0", async () => {
		expect(await lint({ "mayfly.yml": CONFIG, [flow("a.yml")]: GOOD })).toEqual({
			...{ code: 0, err: "" },
			out: "0 errors, 0 warnings in 1 workflow with 1 job and mayfly.yml\n",
		});
	});

	test("prints each problem as path:line:column: severity: message, sorted, and a summary", async () => {
		const { code, out } = await lint({ "mayfly.yml": CONFIG, [flow("b.yaml")]: BAD, [flow("a.yml")]: WARNED });
		expect(code).toBe(1);
		expect(out.trimEnd().split("\n")).toEqual([
			expect.stringMatching(/^\.github\/workflows\/a\.yml:3:3: warning: job build: neither it nor .* \[permissions\]$/),
			".github/workflows/b.yaml:5:14: error: job build: mayfly=${{ github.run_id }}/runner=huge: runner=huge is neither a preset (small, Ship, open) nor a size like 4cpu-linux-arm64. [label]",
			"1 error, 1 warning in 2 workflows with 2 jobs and mayfly.yml",
		]);
	});

	test("fails for warnings only when it is strict", async () => {
		const files = { "mayfly.yml": CONFIG, [flow("a.yml")]: WARNED };
		expect([(await lint(files)).code, (await lint(files, "--strict")).code]).toEqual([0, 1]);
	});

	test("gives one JSON object with --json", async () => {
		const { code, out } = await lint({ "mayfly.yml": CONFIG, [flow("b.yml")]: BAD }, "--json");
		expect([code, JSON.parse(out)]).toEqual([
			1,
			{
				...{ ok: false, config: "mayfly.yml", labelsChecked: true, workflows: 1, jobs: 1, notes: [] },
				counts: { errors: 1, warnings: 0, notes: 0 },
				problems: [
					{
						...{ file: flow("b.yml"), line: 5, column: 14, severity: "error", rule: "label" },
						message: expect.stringContaining("runner=huge is neither a preset"),
					},
				],
			},
		]);
	});

	test("finds mayfly.yml at the top, then in .github, and takes the one that is named", async () => {
		const other = CONFIG.replace("small:", "huge:");
		const both = { "mayfly.yml": CONFIG, ".github/mayfly.yml": other, "else/where.yml": other, [flow("b.yml")]: BAD };
		expect((await lint(both)).code).toBe(1);
		expect((await lint({ ".github/mayfly.yml": other, [flow("b.yml")]: BAD })).code).toBe(0);
		expect((await lint(both, "--config", "else/where.yml")).code).toBe(0);
	});

	test("serves RunsOn's labels as the operator says, and asks of them what it asks of its own", async () => {
		const workflow = GOOD.replace("mayfly=${{ github.run_id }}/runner=small", "runs-on=1/runner=small");
		const { code, out } = await lint({ "mayfly.yml": `${CONFIG}acceptRunsOnLabels: true\n`, [flow("a.yml")]: workflow });
		expect([code, out.split("\n")[0]]).toEqual([
			0,
			expect.stringMatching(/^\.github\/workflows\/a\.yml:5:14: warning: .*\[label-not-unique\]$/),
		]);
	});

	test("says that there is no mayfly.yml, and checks what needs none", async () => {
		const files = { [flow("a.yml")]: WARNED, [flow("b.yml")]: BAD };
		const { code, out } = await lint(files);
		expect(code).toBe(0);
		expect(out).toContain(
			"there is no mayfly.yml and no .github/mayfly.yml: of labels only the form is checked, and tiers are not; name a mayfly.yml with --config\n",
		);
		expect(out).toContain("[permissions]");
		expect(JSON.parse((await lint(files, "--json")).out)).toMatchObject({ config: null, labelsChecked: false, counts: { warnings: 1 } });
	});

	test("tells labels that are wrong in themselves also without a mayfly.yml, and then fails", async () => {
		const wrong = GOOD.replace("runner=small", "extras=s3-cache/runner=huge");
		const { code, out } = await lint({ [flow("a.yml")]: wrong });
		expect(code).toBe(1);
		expect(out).toStartWith(
			".github/workflows/a.yml:5:14: error: job build: mayfly=${{ github.run_id }}/extras=s3-cache/runner=huge: The key extras is not honoured: ",
		);
		expect(out).toContain("\nthere is no mayfly.yml and no .github/mayfly.yml: of labels only the form is checked");
		expect(JSON.parse((await lint({ [flow("a.yml")]: wrong }, "--json")).out)).toMatchObject({
			...{ ok: false, config: null, labelsChecked: false, counts: { errors: 1 } },
			problems: [{ file: flow("a.yml"), line: 5, column: 14, rule: "label" }],
		});
	});

	test("says that labels are not checked against a mayfly.yml with problems", async () => {
		const { code, out } = await lint({ "mayfly.yml": `${CONFIG}colour: red\n`, [flow("b.yml")]: BAD });
		expect(code).toBe(1);
		expect(out).toBe(
			"mayfly.yml:20:1: error: colour: unknown key [config]\nmayfly.yml has problems: of labels only the form is checked, and tiers are not, until it is mended\n1 error, 0 warnings in 1 workflow with 1 job and mayfly.yml\n",
		);
	});

	test.each([
		["no path", [], "one folder is checked at a time, not 0"],
		["two paths", [".", "."], "one folder is checked at a time, not 2"],
		["an unknown option", [".", "--fix"], "--fix"],
		["a folder that is not there", ["nowhere"], "nowhere is not a folder that can be read"],
		["a file for a folder", ["mayfly.yml"], "mayfly.yml is not a folder that can be read"],
		["a config that is not there", [".", "--config", "no.yml"], "no.yml is not there or cannot be read"],
		["a config that is a folder", [".", "--config", ".github"], ".github is not a file"],
		["a repository with nothing to check", [".github"], ".github has nothing to check: no .github/workflows/*.yml"],
	])("exits with 2 for %s", (_, argv, reason) =>
		withFiles({ "mayfly.yml": CONFIG, [flow("a.yml")]: GOOD }, async (folder) => {
			const plain = await mayfly(folder, "lint", ...argv);
			expect([plain.code, plain.out]).toEqual([2, ""]);
			expect(plain.err).toContain(reason);
			const json = await mayfly(folder, "lint", ...argv, "--json");
			expect([json.code, JSON.parse(json.out).ok]).toEqual([2, false]);
		}),
	);

	test("has a help with examples and every rule", () =>
		withFiles({}, async (folder) => {
			const { code, out, err } = await mayfly(folder, "lint", "--help");
			expect([code, err]).toEqual([0, ""]);
			for (const part of ["usage: bun run mayfly lint <path>", "examples:", "--strict", "deploy-id-token", "exit status:"])
				expect(out).toContain(part);
		}));
});

describe("the lines", () => {
	const problem = (column: number, message: string): LintProblem => ({
		file: "a.yml",
		line: 1,
		column,
		severity: "error",
		rule: "yaml",
		message,
	});

	test("stand in the order of the file, each once", () => {
		const [one, other, third] = [problem(2, "b"), problem(10, "a"), problem(10, "c")];
		expect(sorted([third, other, one, { ...other }])).toEqual([one, other, third]);
	});

	test("show how bad it is in colour where there is colour", () => {
		const report = { config: "m", checked: true, places: [], workflows: 1, jobs: 1, problems: [problem(1, "b")] };
		const [line] = reportLines(report, true);
		expect(line).toBe("a.yml:1:1: \u001b[31merror\u001b[0m: b [yaml]");
		expect(reportLines(report, false)[0]).toBe("a.yml:1:1: error: b [yaml]");
	});
});

describe("a file that is no workflow", () => {
	test("does not hide the others", async () => {
		const { code, out } = await lint({
			...{ "mayfly.yml": CONFIG, [flow("a.yml")]: "on: push\njobs: [", [flow("b.yml")]: BAD, [flow("c.yml")]: "" },
			...{ [flow("binary.yml")]: new Uint8Array([0x6f, 0x6e, 0, 1]), [flow("latin.yml")]: new Uint8Array([0x23, 0xe9]) },
			...{ [flow("huge.yml")]: `on: push #${"x".repeat(2 ** 20)}`, [flow("deep.yml")]: "[".repeat(50_000) },
			[flow("two.yml")]: `${GOOD}---\n${GOOD}`,
		});
		expect(code).toBe(1);
		for (const line of [
			"a.yml:2:",
			"b.yml:5:14: error: job build: mayfly=",
			"binary.yml:1:1: error: the file is not a text: it holds a NUL [file]",
			"c.yml:1:1: error: the file is empty: a workflow needs on and jobs [workflow]",
			"huge.yml:1:1: error: the file has 1048586 bytes, more than the 1048576 that are read [file]",
			"latin.yml:1:1: error: the file is not a text in UTF-8 [file]",
			"two.yml:7:1: error: the file has more than one document: --- begins another, and there may be only one [yaml]",
		])
			expect(`\n${out}`).toContain(`\n.github/workflows/${line}`);
		expect(out).toMatch(/deep\.yml:1:\d+: error: the file is nested too deeply \[yaml\]/);
	});

	test("may be a link: one to nothing and one out of the repository are told, one within is read", () =>
		withFiles({ "repository/mayfly.yml": CONFIG, "repository/build.yml": BAD, "secret.yml": "on: [hush" }, async (folder) => {
			const workflows = join(folder, "repository", ".github", "workflows");
			await mkdir(join(workflows, "folder.yml"), { recursive: true });
			await symlink(join(folder, "repository", "build.yml"), join(workflows, "inside.yml"));
			await symlink(join(folder, "secret.yml"), join(workflows, "outside.yml"));
			await symlink("round.yml", join(workflows, "round.yml"));
			await symlink("nothing", join(workflows, "to-nothing.yml"));
			const { code, out } = await mayfly(join(folder, "repository"), "lint", ".");
			expect(code).toBe(1);
			expect(out.trimEnd().split("\n")).toEqual([
				expect.stringMatching(/^\.github\/workflows\/inside\.yml:5:14: error: .* \[label\]$/),
				".github/workflows/outside.yml:1:1: error: the file is a symbolic link that leads out of the repository [file]",
				".github/workflows/round.yml:1:1: error: the file cannot be read: ELOOP [file]",
				".github/workflows/to-nothing.yml:1:1: error: the file cannot be read: ENOENT [file]",
				"4 errors, 0 warnings in 4 workflows with 1 job and mayfly.yml",
			]);
		}));

	test("may be a mayfly.yml that leads out of the repository, unless it is named", () =>
		withFiles({ [`repository/${flow("a.yml")}`]: GOOD, "secret.yml": "hush: 1" }, async (folder) => {
			await symlink(join(folder, "secret.yml"), join(folder, "repository", "mayfly.yml"));
			const found = await mayfly(join(folder, "repository"), "lint", ".");
			expect(found.out).toStartWith("mayfly.yml:1:1: error: the file is a symbolic link that leads out of the repository [file]\n");
			const named = await mayfly(join(folder, "repository"), "lint", ".", "--config", "mayfly.yml");
			expect(named.out).toContain("hush: unknown key");
		}));

	test("cannot colour or move the reader's terminal", async () => {
		const { out } = await lint({ "mayfly.yml": CONFIG, [flow("a\u001b[2J.yml")]: GOOD.replace("/runner=small", "/run\u009b31mner=x") });
		expect(out).toContain("\\u001b[2J");
		expect(out.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
	});
});
