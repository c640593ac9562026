// Reading, cancelling, approving and running again.
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
	call,
	connectRunner,
	installationToken,
	job,
	registerRunner,
	runOneJob,
	startChecked,
	startReceiver,
	type TestGitHub,
	workflow,
} from "./github-client.ts";

const repository = "octo-org/octo-repo";
const root = `/repos/${repository}/actions`;
let github: TestGitHub;
let token: string;
let receiver: ReturnType<typeof startReceiver>;

beforeEach(async () => {
	receiver = startReceiver();
	const accounts = [
		{ login: "octo-org", repositories: [{ name: "octo-repo", protectedEnvironments: ["production"] }, { name: "second" }] },
	];
	github = await startChecked({ webhookUrl: receiver.url, accounts });
	token = await installationToken(github);
});
afterEach(async () => {
	expect(github.problems).toEqual([]);
	await github.stop();
	await receiver.stop();
});

const read = async (path: string) => (await call(github, token, `GET ${root}${path}`)).body;
const events = (name: string) =>
	receiver.received.flatMap(({ body }) => (body.workflow_job.name === name ? [`${body.action} ${body.workflow_job.status}`] : []));

test("a run and its jobs read as GitHub describes them, page by page, and not through another repository", async () => {
	const run = github.createRun({
		workflow: workflow(job("legs", { matrix: Array.from({ length: 5 }, (_, n) => ({ n })) })),
		repository,
		fork: true,
		event: "pull_request",
		actor: "mona",
	});
	expect(await read(`/runs/${run.id}`)).toMatchObject({
		...{ id: run.id, event: "pull_request", path: ".github/workflows/ci.yml", run_attempt: 1, status: "queued", actor: { login: "mona" } },
		head_repository: { fork: true, full_name: "mona/octo-repo" },
	});
	const page = await call(github, token, `GET ${root}/runs/${run.id}/jobs?filter=latest&per_page=2&page=3`);
	expect(page.body).toMatchObject({ total_count: 5, jobs: [{ name: "legs (4)", status: "queued", runner_id: null }] });
	expect(page.headers.get("link")).toContain('rel="prev"');
	expect(await read(`/jobs/${run.jobs[0]?.id}`)).toMatchObject({ labels: ["mayfly"], run_attempt: 1 });
	expect((await read("/runs?status=queued")).workflow_runs.map(({ id }: { id: number }) => id)).toEqual([run.id]);
	expect((await read("/runs?status=completed")).total_count).toBe(0);
	for (const path of [`runs/${run.id}`, `runs/${run.id}/jobs`, `jobs/${run.jobs[0]?.id}`, "runs/abc"])
		expect((await call(github, token, `GET /repos/octo-org/second/actions/${path}`)).status).toBe(404);
	expect((await call(github, token, `GET ${root}/runs/${run.id}/attempts/2/jobs`)).status).toBe(404);
});

test("a run is cancelled: what waits ends at once, what runs is told, and what comes after is skipped", async () => {
	const run = github.createRun({ workflow: workflow(job("a"), job("b"), job("c", { needs: ["a"] })), repository });
	const runner = await connectRunner((await registerRunner(github, token, "r")).body.encoded_jit_config);
	const { jobId } = await runner.take();
	expect((await call(github, token, `POST ${root}/runs/${run.id}/cancel`)).status).toBe(202);
	expect((await runner.poll()).body).toEqual({ messageType: "JobCancellation", jobId });
	expect((await runner.say("POST renew", { jobId })).body).toEqual({ cancelled: true });
	await runner.complete(jobId, { result: "Canceled" });
	await github.waitForRun(run.id);
	expect(run.jobs.map(({ key, conclusion }) => `${key} ${conclusion}`)).toEqual(["a cancelled", "b cancelled", "c skipped"]);
	expect(run.conclusion).toBe("cancelled");
	expect(events("b")).toEqual(["queued queued", "completed completed"]);
	expect((await call(github, token, `POST ${root}/runs/${run.id}/cancel`)).status).toBe(409);
});

test("a job of a protected environment waits, is approved, and only then may run", async () => {
	const run = github.createRun({ workflow: workflow(job("deploy", { environment: "production" })), repository });
	expect(await read(`/runs/${run.id}`)).toMatchObject({ status: "waiting" });
	expect(await read(`/runs/${run.id}/approvals`)).toEqual([]);
	const runner = await connectRunner((await registerRunner(github, token, "r")).body.encoded_jit_config);
	expect((await runner.poll(0)).status).toBe(202);
	expect(github.approve(run.id, "hubot", "go")).toBe(1);
	expect(await read(`/runs/${run.id}/approvals`)).toMatchObject([
		{ state: "approved", user: { login: "hubot" }, environments: [{ name: "production" }] },
	]);
	await runner.complete((await runner.take()).jobId);
	await github.waitForRun(run.id);
	expect(events("deploy")).toEqual([
		"queued waiting",
		"waiting waiting",
		"queued queued",
		"in_progress in_progress",
		"completed completed",
	]);
	expect(receiver.received[0]?.body.deployment).toMatchObject({ environment: "production", task: "deploy" });
});

test("failed jobs run again under new ids with their dependents; those that succeeded are told of again under new ids", async () => {
	const run = github.createRun({ workflow: workflow(job("good"), job("bad"), job("after", { needs: ["bad"] })), repository });
	const path = `POST ${root}/runs/${run.id}/rerun-failed-jobs`;
	expect(await call(github, token, path)).toMatchObject({ status: 403, body: { message: "This workflow run is already running" } });
	await runOneJob(github, token, "r1");
	await runOneJob(github, token, "r2", { result: "Failed" });
	await github.waitForRun(run.id);
	const first = run.jobs.map(({ id }) => id);
	expect((await call(github, token, path)).status).toBe(201);
	await runOneJob(github, token, "r3");
	await runOneJob(github, token, "r4");
	await github.waitForRun(run.id);
	const latest = (await read(`/runs/${run.id}/jobs`)).jobs;
	expect(latest.map(({ name, conclusion }: Record<string, string>) => `${name} ${conclusion}`)).toEqual([
		"good success",
		"bad success",
		"after success",
	]);
	expect(latest.some(({ id }: { id: number }) => first.includes(id))).toBe(false);
	expect((await read(`/runs/${run.id}/jobs?filter=all`)).total_count).toBe(6);
	expect((await read(`/runs/${run.id}/attempts/1/jobs`)).jobs.map(({ id }: { id: number }) => id)).toEqual(first);
	expect(await read(`/runs/${run.id}`)).toMatchObject({ run_attempt: 2, conclusion: "success" });
	expect(events("good")).toEqual(["queued queued", "in_progress in_progress", "completed completed", "completed completed"]);
	expect((await call(github, token, path)).status).toBe(403);
});

test("only the failed leg of a matrix runs again", async () => {
	const run = github.createRun({ workflow: workflow(job("m", { matrix: [{ n: 1 }, { n: 2 }] })), repository });
	await runOneJob(github, token, "r1", { result: "Failed" });
	await runOneJob(github, token, "r2");
	await github.waitForRun(run.id);
	await call(github, token, `POST ${root}/runs/${run.id}/rerun-failed-jobs`);
	expect((await runOneJob(github, token, "r3")).name).toBe("m (1)");
	expect((await github.waitForRun(run.id)).conclusion).toBe("success");
});

test("a single job runs again with its dependents", async () => {
	const run = github.createRun({ workflow: workflow(job("a"), job("b", { needs: ["a"] }), job("c")), repository });
	for (const name of ["r1", "r2", "r3"]) await runOneJob(github, token, name);
	await github.waitForRun(run.id);
	const id = run.jobs.find(({ key }) => key === "a")?.id;
	expect((await call(github, token, `POST ${root}/jobs/${id}/rerun`)).status).toBe(201);
	expect((await runOneJob(github, token, "r4")).name).toBe("a");
	expect((await runOneJob(github, token, "r5")).name).toBe("b");
	expect((await github.waitForRun(run.id)).conclusion).toBe("success");
});

test("a job whose labels cannot be read fails with the place in the file", () => {
	const run = github.createRun({
		workflow: workflow(job("a", { line: 7, runsOn: ["${{ nonsense( }}"] }), job("b", { runsOn: ["${{ github.nothing }}"] })),
		repository,
	});
	expect(run.jobs).toMatchObject([
		{ conclusion: "failure", annotations: [expect.stringContaining("ci.yml:7")] },
		{ conclusion: "failure", annotations: [expect.stringContaining("not a list of labels")] },
	]);
});

test("a workflow that needs a job it does not have, or a repository that is not there, makes no run", () => {
	expect(() => github.createRun({ workflow: workflow(job("a", { needs: ["b"] })), repository })).toThrow("needs b");
	expect(() => github.createRun({ workflow: workflow(job("a")), repository: "octo-org/none" })).toThrow("no repository");
});
