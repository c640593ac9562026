// The workflows, read by actionlint (with shellcheck) and zizmor, and by rules of ours.
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { installGoProgram } from "../fakes/go-program.ts";
import { zizmor } from "../fakes/zizmor.ts";

const root = join(import.meta.dir, "..", "..");
const FOLDER = join(root, ".github", "workflows");
const files = readdirSync(FOLDER).map((name) => join(FOLDER, name));
const MINUTES = 10 * 60_000;

interface Workflow {
	permissions?: unknown;
	jobs: Record<string, { permissions?: unknown; "timeout-minutes"?: number; steps: { uses?: string; run?: string }[] }>;
}
const workflows = files.map((file) => ({
	file,
	text: readFileSync(file, "utf8"),
	workflow: parse(readFileSync(file, "utf8")) as Workflow,
}));

async function actionlint(...paths: string[]): Promise<{ code: number; out: string }> {
	if (Bun.which("shellcheck") === null) throw new Error("shellcheck is not installed, so actionlint would not look into scripts");
	const program = await installGoProgram({ path: "github.com/rhysd/actionlint/cmd/actionlint", version: "v1.7.12" });
	const child = Bun.spawn([program, "-no-color", "-oneline", ...paths], { cwd: root, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
	const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
	return { code, out: `${out}${err}` };
}

/** Of a workflow with something wrong in it, in a folder of its own. */
async function broken<T>(change: (text: string) => string, look: (file: string, folder: string) => Promise<T>): Promise<T> {
	const folder = await mkdtemp(join(tmpdir(), "mayfly-workflows-"));
	try {
		await cp(join(root, ".github"), join(folder, ".github"), { recursive: true });
		const file = join(folder, ".github", "workflows", "release.yml");
		const text = readFileSync(file, "utf8");
		expect(change(text)).not.toBe(text);
		await writeFile(file, change(text));
		return await look(file, folder);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

describe("actionlint", () => {
	test(
		"has nothing to say of the workflows",
		async () => {
			expect(await actionlint(...files)).toEqual({ code: 0, out: "" });
		},
		MINUTES,
	);
	test("would tell of an unknown context and of a script that shellcheck refuses", async () => {
		const bad = (text: string) =>
			text.replace("matrix.system }}\n    timeout", "matrix.sytem }}\n    timeout").replace("bun run build", "cat $1 | bun");
		const { code, out } = await broken(bad, (file) => actionlint(file));
		expect(code).toBe(1);
		expect(out).toContain('property "sytem" is not defined');
		expect(out).toContain("SC2086");
	});
});

describe("zizmor", () => {
	test(
		"finds nothing in the workflows",
		async () => {
			const { code, out } = await zizmor(join(root, ".github"));
			expect(out).toContain("No findings to report");
			expect(code).toBe(0);
		},
		MINUTES,
	);
	test("would find an action without a pin, and text of an event in a script", async () => {
		const bad = (text: string) =>
			text
				.replace(/attest-sbom@\S+ # v4\.1\.0/, "attest-sbom@v4")
				.replace('"$GITHUB_REF_NAME" --verify', "${{ github.ref_name }} --verify");
		const { code, out } = await broken(bad, (_, folder) => zizmor(join(folder, ".github")));
		expect(code).not.toBe(0);
		expect(out).toContain("unpinned-uses");
		expect(out).toContain("template-injection");
	});
});

describe("every workflow", () => {
	test.each(workflows)("$file gives no permission that a job did not ask for, and no job without an end", ({ workflow }) => {
		expect([{}, { contents: "read" }]).toContainEqual(workflow.permissions as object);
		for (const job of Object.values(workflow.jobs)) expect(job["timeout-minutes"]).toBeLessThanOrEqual(90);
	});

	test.each(workflows)("$file names actions by their commit and says which version that is", ({ text }) => {
		const uses = text.split("\n").filter((line) => line.includes("uses:"));
		expect(uses.length).toBeGreaterThan(0);
		for (const line of uses) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
	});

	test("an action is pinned to one commit, the same everywhere, and attestations to one that their repositories have", () => {
		const uses = [
			...workflows
				.map(({ text }) => text)
				.join("\n")
				.matchAll(/uses: (\S+)@([0-9a-f]{40} # \S+)/g),
		];
		const pins = new Map<string, Set<string>>();
		for (const [, action = "", pin = ""] of uses) pins.set(action, (pins.get(action) ?? new Set()).add(pin));
		for (const [action, found] of pins) expect([action, found.size]).toEqual([action, 1]);
		// Of `git rev-parse v4.1.0^{commit}` in a clone of each.
		expect(pins.get("actions/attest-build-provenance")).toEqual(new Set(["a2bbfa25375fe432b6a289bc6b6cd05ecd0c4c32 # v4.1.0"]));
		expect(pins.get("actions/attest-sbom")).toEqual(new Set(["c604332985a26aa8cf1bdc465b92731239ec6b9e # v4.1.0"]));
	});

	test("Bun is the one of package.json, by the lock file's checksum", () => {
		const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { packageManager: string };
		const lock = JSON.parse(readFileSync(join(root, ".github", "bun", "package-lock.json"), "utf8")) as {
			packages: Record<string, { version: string; integrity?: string }>;
		};
		expect(`bun@${lock.packages["node_modules/bun"]?.version}`).toBe(packageManager);
		for (const [path, { integrity }] of Object.entries(lock.packages)) if (path !== "") expect(integrity).toStartWith("sha512-");
	});
});
