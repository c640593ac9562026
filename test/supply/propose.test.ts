// Proposing a changed file, with a gh that remembers in files what there is at GitHub.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { openWorkbench, type Workbench } from "./scripts.ts";

const GITHUB = join(import.meta.dir, "..", "..", ".github");
/** `$fails` names the call that GitHub refuses. */
const GH = `
[[ ! -e fails || $* != *"$(cat fails)"* ]] || { echo refused >&2; exit 1; }
case "$*" in
"pr list "*) wc -l <prs ;;
"pr create "*) echo "$*" >>prs ;;
"workflow run "*) echo "$*" >>runs ;;
*--method\\ PUT*) git hash-object parts.json >at-branch ;;
*/git/refs*) echo old >at-branch ;;
*/branches/*) [[ -e at-branch ]] ;;
*/contents/*) cat at-branch ;;
esac`;
let bench: Workbench;
beforeEach(async () => {
	bench = await openWorkbench();
	await bench.program("gh", GH);
	for (const name of ["prs", "runs", "body.md"]) await writeFile(join(bench.folder, name), "");
	await writeFile(join(bench.folder, "parts.json"), "{}\n");
	for (const args of [
		["init", "-q"],
		["add", "parts.json"],
		["-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-qm", "A"],
	])
		expect((await bench.run(["git", ...args])).code).toBe(0);
});
afterEach(() => bench.end());

const propose = () =>
	bench.run([join(GITHUB, "propose.sh"), "pins-1", "parts.json", "Take newer parts", "body.md"], { GH_REPO: "octo-org/mayfly" });
const lines = async (name: string) => (await readFile(join(bench.folder, name), "utf8")).split("\n").filter(Boolean);

describe("a change", () => {
	test("is proposed once, from a branch that has it, and its checks are started", async () => {
		expect(await propose()).toMatchObject({ code: 0 });
		expect(await lines("prs")).toEqual(["pr create --head pins-1 --title Take newer parts --body-file body.md"]);
		expect(await lines("runs")).toEqual(["workflow run check.yml --ref pins-1"]);
		expect(await lines("at-branch")).toEqual([(await bench.run(["git", "hash-object", "parts.json"])).out.trim()]);
		expect(await propose()).toEqual({ code: 0, out: "pins-1 has been proposed before\n" });
		expect([(await lines("prs")).length, (await lines("runs")).length]).toEqual([1, 1]);
	});

	test.each(["/git/refs", "--method PUT", "workflow run", "pr create"])(
		"is proposed by the next run where %p was refused in one",
		async (call) => {
			await writeFile(join(bench.folder, "fails"), call);
			expect((await propose()).code).not.toBe(0);
			expect(await lines("prs")).toEqual([]);
			await writeFile(join(bench.folder, "fails"), "nothing");
			expect((await propose()).code).toBe(0);
			expect(await lines("prs")).toHaveLength(1);
			expect((await lines("runs")).length).toBeGreaterThan(0);
			const calls = await bench.calls();
			const branches = calls.filter((made) => made.includes("/git/refs"));
			expect(branches).toHaveLength(call === "/git/refs" ? 2 : 1);
		},
	);
});

test("every job that proposes may start the checks, and no other job may start anything", () => {
	const read = (name: string) => parse(readFileSync(join(GITHUB, "workflows", name), "utf8"));
	expect(read("check.yml").on).toHaveProperty("workflow_dispatch");
	const jobs = ["check.yml", "github-meta.yml", "image.yml", "release.yml"].flatMap((name) => Object.entries(read(name).jobs));
	const of = (has: (job: { permissions?: { actions?: string }; steps: { run?: string }[] }) => boolean) =>
		jobs.filter(([, job]) => has(job as never)).map(([name]) => name);
	expect(of(({ permissions }) => permissions?.actions === "write")).toEqual(["compare", "pins"]);
	expect(of(({ steps }) => steps.some(({ run }) => run?.includes("propose.sh")))).toEqual(["compare", "pins"]);
});

test("shellcheck finds nothing in the scripts of workflows", async () => {
	expect(await bench.run(["shellcheck", join(GITHUB, "propose.sh"), join(GITHUB, "bun", "install.sh")])).toEqual({ code: 0, out: "" });
});
