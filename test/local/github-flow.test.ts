// A run from its webhook to its conclusion, with a runner that takes what it is given.
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { checkJobEvent } from "../../local/github/openapi.ts";
import { installationToken, job, runOneJob, startChecked, startReceiver, type TestGitHub, workflow } from "./github-client.ts";

let github: TestGitHub;
let token: string;
const receiver = startReceiver();

beforeAll(async () => {
	github = await startChecked({ webhookUrl: receiver.url, webhookSecret: "a secret" });
	token = await installationToken(github);
});
afterEach(() => {
	expect(github.problems).toEqual([]);
	receiver.received.length = 0;
});
afterAll(async () => {
	await github.stop();
	await receiver.stop();
});

const seen = () =>
	receiver.received.map(({ body }) => `${body.workflow_job.name} ${body.action} ${body.workflow_job.conclusion ?? ""}`.trim());

test("a job is queued, in progress on its runner, completed, each told by a signed webhook of GitHub's own shape", async () => {
	const run = github.createRun({ workflow: workflow(job("build")), repository: "octo-org/octo-repo" });
	const message = await runOneJob(github, token, "mayfly-i-1-1");
	await github.waitForRun(run.id);
	expect(message).toMatchObject({ name: "build", github: { repository: "octo-org/octo-repo", run_attempt: "1" }, idToken: null });
	expect(seen()).toEqual(["build queued", "build in_progress", "build completed success"]);
	for (const { headers, text, body } of receiver.received) {
		expect(checkJobEvent(body.action, body)).toEqual([]);
		expect(headers.get("x-hub-signature-256")).toBe(`sha256=${createHmac("sha256", "a secret").update(text).digest("hex")}`);
		expect(headers.get("x-github-event")).toBe("workflow_job");
		expect(headers.get("x-github-hook-installation-target-type")).toBe("integration");
	}
	expect(receiver.received[1]?.body.workflow_job).toMatchObject({ runner_name: "mayfly-i-1-1", runner_group_name: "Default" });
	expect(receiver.received[0]?.body.workflow_job).toMatchObject({ runner_name: null, runner_id: null, labels: ["mayfly"] });
	expect(github.runners()).toEqual([]);
	expect(run.conclusion).toBe("success");
});

test("needs order the jobs, outputs reach the dependents, and legs of a matrix are jobs of their own", async () => {
	const jobs = [
		job("build", { matrix: [{ os: "linux" }, { os: "mac" }] }),
		job("publish", { needs: ["build"], runsOn: ["mayfly", "${{ needs.build.outputs.size }}"] }),
	];
	const run = github.createRun({ workflow: workflow(...jobs), repository: "octo-org/octo-repo" });
	expect(github.jobs().filter(({ runId }) => runId === run.id)).toHaveLength(2);
	await runOneJob(github, token, "mayfly-i-2-1");
	await runOneJob(github, token, "mayfly-i-3-1", { outputs: { size: "large" } });
	const message = await runOneJob(github, token, "mayfly-i-4-1", {}, ["MAYFLY", "Large"]);
	await github.waitForRun(run.id);
	expect(run.jobs.map(({ name }) => name)).toEqual(["build (linux)", "build (mac)", "publish"]);
	expect(message.needs).toEqual({ build: { result: "success", outputs: { size: "large" } } });
});

test("a dependent of a failed job is skipped without a matrix, and one allowed to fail does not fail the run", async () => {
	const jobs = [
		job("test"),
		job("flaky", { continueOnError: "${{ matrix.os == 'mac' }}", matrix: [{ os: "mac" }] }),
		job("deploy", { needs: ["test"], matrix: [{ a: 1 }, { a: 2 }] }),
		job("after", { needs: ["flaky"] }),
	];
	const run = github.createRun({ workflow: workflow(...jobs), repository: "octo-org/octo-repo" });
	await runOneJob(github, token, "mayfly-i-5-1", { result: "Failed" });
	await runOneJob(github, token, "mayfly-i-6-1", { result: "Failed" });
	await runOneJob(github, token, "mayfly-i-7-1");
	await github.waitForRun(run.id);
	expect(Object.fromEntries(run.jobs.map(({ name, conclusion }) => [name, conclusion]))).toEqual({
		...{ test: "failure", "flaky (mac)": "failure", deploy: "skipped", after: "success" },
	});
	expect(run.conclusion).toBe("failure");
	expect(seen()).toContain("deploy completed skipped");
});
