// `bun run local` from the outside: what it prints, how it exits, what it leaves.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunSummary } from "../../local/summary.ts";
import { processesNaming, runLocal, startLocal } from "./command.ts";

const LONG = 240_000;
let folder: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "mf-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The command's own temporary folders go below one of the test's, so that what is left can be seen. */
const env = () => ({ TMPDIR: folder });
async function workflow(name: string, text: string): Promise<string> {
	const file = join(folder, name);
	await writeFile(file, text);
	return file;
}
const summaryOf = (stdout: string): RunSummary => JSON.parse(stdout);

describe("bun run local", () => {
	test(
		"runs the example: every kind of job ends as it should, and nothing is left",
		async () => {
			const { status, stdout, stderr } = await runLocal(["--json"], { env: env() });
			expect([stderr, status]).toEqual(["", 0]);
			const summary = summaryOf(stdout);
			expect(summary.ok).toBeTrue();
			expect(summary.instances.alive).toBe(0);
			expect(summary.instances.launched).toBe(summary.instances.terminated);
			expect(summary.jobs.some((job) => job.conclusion === "failure" && job.allowedToFail)).toBeTrue();
			expect(summary.jobs.some((job) => job.attempt === 2 && job.conclusion === "success")).toBeTrue();
			for (const job of summary.jobs) {
				const { receivedAt, leasedAt, launchedAt, claimedAt, listeningAt, startedAt, finishedAt, offAt } = job.timings;
				const moments = [receivedAt, leasedAt, launchedAt, claimedAt, listeningAt, startedAt, finishedAt, offAt];
				expect({ name: job.name, moments: moments.toSorted((a, b) => Number(a) - Number(b)) }).toEqual({ name: job.name, moments });
				expect({ name: job.name, moments: moments.map((at) => typeof at) }).toEqual({
					name: job.name,
					moments: moments.map(() => "number"),
				});
			}
			expect(await readdir(folder)).toEqual([]);
			expect(await processesNaming(folder)).toEqual([]);
		},
		LONG,
	);

	test(
		"says what happens line by line where there is no terminal, and then shows a waterfall",
		async () => {
			const file = await workflow(
				"two.yml",
				"on: push\njobs:\n  first:\n    runs-on: self-hosted\n    steps: [{run: exit 3}]\n  second:\n    needs: first\n    runs-on: self-hosted\n    steps: [{run: echo never}]\n",
			);
			const { status, stdout } = await runLocal([file], { env: env() });
			expect(stdout).toContain("first: failure");
			expect(stdout).toContain("second: skipped");
			expect(stdout).toContain("seconds in each stage");
			expect(stdout).not.toContain("\x1b");
			expect(status).toBe(1);
		},
		LONG,
	);

	test(
		"a job's own failure is exit 1 and still ok; what needs it is skipped without a machine",
		async () => {
			const file = join(folder, "two.yml");
			const { status, stdout } = await runLocal([file, "--json"], { env: env() });
			const summary = summaryOf(stdout);
			expect([status, summary.ok]).toEqual([1, true]);
			expect(summary.jobs.map(({ name, conclusion, instanceId }) => [name, conclusion, instanceId === null])).toEqual([
				["first", "failure", false],
				["second", "skipped", true],
			]);
			expect(summary.instances).toEqual({ launched: 1, terminated: 1, alive: 0 });
		},
		LONG,
	);

	test(
		"a job whose labels nobody serves is refused with a reason, launches nothing and does not hang the run",
		async () => {
			const file = await workflow(
				"unknown.yml",
				"on: push\njobs:\n  odd:\n    runs-on: [self-hosted, no-such-label]\n    steps: [{run: echo never}]\n",
			);
			const { status, stdout } = await runLocal([file, "--json"], { env: env() });
			const summary = summaryOf(stdout);
			expect([status, summary.ok]).toEqual([1, false]);
			expect(summary.jobs[0]?.reason).toContain("no-such-label");
			expect(summary.instances).toEqual({ launched: 0, terminated: 0, alive: 0 });
		},
		LONG,
	);

	test(
		"a bad workflow file is exit 2, every problem with its file and line, and nothing started",
		async () => {
			const file = await workflow(
				"bad.yml",
				"on: push\njobs:\n  a:\n    runs-on: self-hosted\n    container: node\n    steps:\n      - uses: actions/checkout@v4\n      - run: echo ${{ secrets.TOKEN }}\n",
			);
			const { status, stdout, stderr } = await runLocal([file], { env: env() });
			expect([status, stdout]).toEqual([2, ""]);
			const lines = stderr.trim().split("\n");
			expect(lines.map((line) => line.slice(0, line.indexOf(": ")))).toEqual([`${file}:5`, `${file}:7`, `${file}:8`]);
			expect((await runLocal([join(folder, "absent.yml")])).status).toBe(2);
			expect((await runLocal(["--machines", "0"])).status).toBe(2);
			expect((await runLocal(["--help"])).stdout).toContain("examples:");
		},
		LONG,
	);

	test(
		"copies of one job each get a machine of their own, at most as many at once as the quota allows",
		async () => {
			const { status, stdout } = await runLocal(["--jobs", "12", "--machines", "4", "--json"], { env: env() });
			const summary = summaryOf(stdout);
			expect([status, summary.ok, summary.jobs.length]).toEqual([0, true, 12]);
			expect(new Set(summary.jobs.map((job) => job.instanceId)).size).toBe(12);
			expect(summary.instances).toEqual({ launched: 12, terminated: 12, alive: 0 });
		},
		LONG,
	);

	for (const signal of ["SIGINT", "SIGTERM"] as const) {
		test(
			`${signal} in the middle of a job leaves no process and no file`,
			async () => {
				const file = await workflow(
					"long.yml",
					"on: push\njobs:\n  long:\n    runs-on: self-hosted\n    steps:\n      - run: |\n          setsid sleep 600 &\n          sleep 600\n",
				);
				const own = await mkdtemp(join(folder, "own-"));
				const child = startLocal([file], { env: { TMPDIR: own } });
				const reader = child.stdout.getReader();
				for (let said = ""; !said.includes("long: running"); ) {
					const { value, done } = await reader.read();
					if (done) throw new Error(`ended early: ${said}`);
					said += new TextDecoder().decode(value);
				}
				expect((await processesNaming(own)).length).toBeGreaterThan(2);
				child.kill(signal);
				expect(await child.exited).toBe(signal === "SIGINT" ? 130 : 143);
				expect(await processesNaming(own)).toEqual([]);
				expect(await readdir(own)).toEqual([]);
			},
			LONG,
		);
	}

	test(
		"a reader that goes away ends the run like Ctrl-C, without a word",
		async () => {
			const own = await mkdtemp(join(folder, "own-"));
			const child = startLocal([], { env: { TMPDIR: own } });
			await child.stdout.cancel();
			expect([await new Response(child.stderr).text(), await child.exited]).toEqual(["", 141]);
			expect(await processesNaming(own)).toEqual([]);
			expect(await readdir(own)).toEqual([]);
		},
		LONG,
	);
});
