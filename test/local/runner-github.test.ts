// The two stand-ins together: workflows as files, GitHub queueing their jobs, a runner process for each.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Run, RunJob } from "../../local/github/run.ts";
import { type GitHub, startGitHub } from "../../local/github.ts";
import { readWorkflow } from "../../local/workflow/read.ts";
import { installationToken, registerRunner } from "./github-client.ts";
import { layOutRunner, startListener } from "./runner-process.ts";

let github: GitHub;
let token: string;
const runners: Promise<unknown>[] = [];
const listeners: ReturnType<typeof startListener>[] = [];

async function runOn(job: RunJob): Promise<void> {
	const { body } = await registerRunner(github, token, `mayfly-i-${job.id}-${job.attempt}`, job.labels);
	const { root, remove } = await layOutRunner();
	const env = { ACTIONS_RUNNER_INPUT_JITCONFIG: body.encoded_jit_config, ACTIONS_RUNNER_RETURN_JOB_RESULT_FOR_HOSTED: "true" };
	const listener = startListener(root, ["run"], env);
	listeners.push(listener);
	await listener.ended();
	remove();
}

async function runToEnd(text: string): Promise<Run> {
	const reading = readWorkflow("w.yml", text);
	if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
	const run = github.createRun({ workflow: reading.workflow, repository: "octo-org/octo-repo" });
	return await github.waitForRun(run.id);
}

beforeAll(async () => {
	github = await startGitHub();
	token = await installationToken(github);
	github.onJob(({ action, job }) => {
		if (action === "queued") runners.push(runOn(job));
	});
});
afterAll(async () => {
	for (const listener of listeners) listener.signal("SIGINT");
	await Promise.all(runners);
	await github.stop();
});

const outcome = (run: Run) => run.jobs.map(({ name, conclusion }) => `${name}: ${conclusion}`);

test("the example runs to the conclusions it describes", async () => {
	const example = readFileSync(join(import.meta.dir, "../../local/example.yml"), "utf8").replaceAll(/sleep \d/g, "true");
	const run = await runToEnd(example);
	expect(run.conclusion).toBe("success");
	expect(outcome(run).toSorted()).toEqual([
		"build cli: success",
		"build docs: success",
		"build web: success",
		"nightly: failure",
		"plan: success",
		"publish: success",
		"soak: success",
	]);
	const log = run.jobs.find(({ name }) => name === "publish")?.log ?? [];
	expect(log).toContain("plan success, build success, publishing lantern 1.1.0");
	expect(run.jobs.find(({ name }) => name === "nightly")?.log).toContain("##[error]the nightly toolchain is broken again");
});

test("a run cancelled at GitHub ends its job's step", async () => {
	const reading = readWorkflow("w.yml", "jobs: {a: {runs-on: x, steps: [{run: 'echo up; exec sleep 300'}, {run: 'true'}]}}");
	if (!reading.ok) throw new Error("unreadable");
	const run = github.createRun({ workflow: reading.workflow, repository: "octo-org/octo-repo" });
	while (!run.jobs[0]?.log.includes("up")) await Bun.sleep(10);
	github.cancelRun(run.id);
	expect((await github.waitForRun(run.id)).conclusion).toBe("cancelled");
});

test("a runner told to end fails its job at GitHub, and says why", async () => {
	const before = listeners.length;
	const reading = readWorkflow("w.yml", "jobs: {a: {runs-on: y, steps: [{run: 'echo up; exec sleep 300'}]}}");
	if (!reading.ok) throw new Error("unreadable");
	const run = github.createRun({ workflow: reading.workflow, repository: "octo-org/octo-repo" });
	while (!run.jobs[0]?.log.includes("up")) await Bun.sleep(10);
	listeners[before]?.signal("SIGINT");
	expect((await github.waitForRun(run.id)).conclusion).toBe("failure");
	expect(run.jobs[0]?.log.some((line) => line.includes("received a shutdown signal"))).toBe(true);
});
