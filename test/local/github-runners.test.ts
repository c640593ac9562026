// Registration of runners and what the broker refuses; who gets which job.
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
	call,
	connectRunner,
	handClock,
	installationToken,
	jitFiles,
	job,
	registerRunner,
	startChecked,
	type TestGitHub,
	workflow,
} from "./github-client.ts";

let clock = handClock();
const org = "/orgs/octo-org/actions/runners";
let github: TestGitHub;
let token: string;

beforeEach(async () => {
	clock = handClock();
	github = await startChecked({
		accounts: [
			{
				login: "octo-org",
				repositories: [{ name: "octo-repo" }, { name: "open", private: false }],
				runnerGroups: [{ name: "deploy", selectedWorkflows: [] }],
			},
			{ login: "mona", type: "User", repositories: [{ name: "home" }] },
		],
		now: clock,
		lostCommunicationMs: 600_000,
		minimumRunnerVersion: "2.329.0",
	});
	token = await installationToken(github);
});
afterEach(async () => {
	expect(github.problems).toEqual([]);
	await github.stop();
});

const start = (...jobs: ReturnType<typeof job>[]) => github.createRun({ workflow: workflow(...jobs), repository: "octo-org/octo-repo" });
const newRunner = async (name: string, labels?: string[]) =>
	connectRunner((await registerRunner(github, token, name, labels)).body.encoded_jit_config);

test("a JIT configuration holds the runner's three files in GitHub's encoding", async () => {
	const { status, body } = await registerRunner(github, token, "mayfly-i-1-1", ["mayfly=7/cpu=2", "x64"]);
	expect(status).toBe(201);
	expect(body.runner).toMatchObject({ name: "mayfly-i-1-1", status: "offline", busy: false, os: "unknown" });
	const files = jitFiles(body.encoded_jit_config);
	expect(Object.keys(files)).toEqual([".runner", ".credentials", ".credentials_rsaparams"]);
	expect(files[".runner"]).toMatchObject({ AgentId: body.runner.id, AgentName: "mayfly-i-1-1", Ephemeral: true, UseV2Flow: true });
	expect(files[".credentials"]).toMatchObject({ Scheme: "OAuth" });
});

test("a repeated name is answered 409 until the runner is deleted", async () => {
	const { body } = await registerRunner(github, token, "same");
	expect((await registerRunner(github, token, "SAME")).status).toBe(409);
	expect((await call(github, token, `GET ${org}?name=same`)).body).toMatchObject({ total_count: 1, runners: [{ id: body.runner.id }] });
	expect((await call(github, token, `DELETE ${org}/${body.runner.id}`)).status).toBe(204);
	expect((await call(github, token, `GET ${org}/${body.runner.id}`)).status).toBe(404);
	expect((await registerRunner(github, token, "same")).status).toBe(201);
});

const badRegistrations: [string, Record<string, unknown>, number][] = [
	["no labels", { labels: [] }, 422],
	["101 labels", { labels: Array.from({ length: 101 }, (_, at) => `l${at}`) }, 422],
	["an empty label", { labels: [""] }, 422],
	["no name", { name: "" }, 422],
	["a name of 65 characters", { name: "n".repeat(65) }, 422],
	["no group", { runner_group_id: undefined }, 422],
	["an unknown group", { runner_group_id: 99 }, 404],
];
test.each(badRegistrations)("a registration with %s is refused", async (_, change, status) => {
	const body = { name: "n", runner_group_id: 1, labels: ["a"], ...change };
	expect((await call(github, token, `POST ${org}/generate-jitconfig`, body)).status).toBe(status);
});

test("a personal account registers on the repository and has no organisation's form", async () => {
	const mona = await installationToken(github, 1);
	const { status, body } = await registerRunner(github, mona, "at-home", ["mayfly"], "/repos/mona/home");
	expect(status).toBe(201);
	expect((await registerRunner(github, mona, "at-home", ["mayfly"], "/orgs/mona")).status).toBe(404);
	const run = github.createRun({ workflow: workflow(job("build")), repository: "mona/home" });
	const runner = await connectRunner(body.encoded_jit_config);
	await runner.complete((await runner.take()).jobId);
	expect((await github.waitForRun(run.id)).conclusion).toBe("success");
});

test("jobs go out in the order of queueing to any runner that has all their labels, whomever it was made for", async () => {
	start(job("a"), job("b"), job("c", { runsOn: ["mayfly", "gpu"] }));
	const forB = await newRunner("made-for-b");
	expect((await forB.take()).name).toBe("a");
	const large = await newRunner("large", ["GPU", "Mayfly", "x64"]);
	expect((await large.take()).name).toBe("b");
	const plain = await newRunner("plain");
	expect((await plain.poll(0)).status).toBe(202);
});

test("a restricted group takes no other workflow, and the default group no public repository", async () => {
	github.createRun({ workflow: workflow(job("open")), repository: "octo-org/open" });
	expect((await (await newRunner("default")).poll(0)).status).toBe(202);
	start(job("build", { runsOn: ["special"] }));
	const { body } = await call(github, token, `POST ${org}/generate-jitconfig`, { name: "d", runner_group_id: 2, labels: ["special"] });
	expect((await (await connectRunner(body.encoded_jit_config)).poll(0)).status).toBe(202);
});

test("a runner with a job is busy and cannot be deleted; after its job it is gone", async () => {
	start(job("a"));
	const runner = await newRunner("busy");
	const { jobId } = await runner.take();
	const path = `${org}/${runner.settings.AgentId}`;
	expect((await call(github, token, `GET ${path}`)).body).toMatchObject({ status: "online", busy: true });
	expect((await call(github, token, `DELETE ${path}`)).status).toBe(422);
	await runner.say("POST log", { jobId, lines: ["one", "two"] });
	await runner.complete(jobId);
	expect(github.job(jobId)?.log).toEqual(["one", "two"]);
	expect((await call(github, token, `GET ${path}`)).status).toBe(404);
	expect((await runner.poll(0)).status).toBe(404);
});

test("a listening runner that is deleted is told so at once, and gets no new token", async () => {
	const { body } = await registerRunner(github, token, "idle");
	const runner = await connectRunner(body.encoded_jit_config);
	const poll = runner.poll(50);
	while (!github.runners()[0]?.session?.wake) await Bun.sleep(1);
	expect((await call(github, token, `DELETE ${org}/${body.runner.id}`)).status).toBe(204);
	expect((await poll).status).toBe(404);
	expect((await connectRunner(body.encoded_jit_config)).granted).toMatchObject({ status: 400, body: { error: "invalid_client" } });
});

test("a second session of one runner conflicts while the first lives", async () => {
	const { body } = await registerRunner(github, token, "twice");
	const first = await connectRunner(body.encoded_jit_config);
	expect((await connectRunner(body.encoded_jit_config)).session.status).toBe(409);
	expect((await first.say("DELETE session")).status).toBe(204);
	expect(github.runners()[0]?.online).toBe(false);
	expect((await connectRunner(body.encoded_jit_config)).session.status).toBe(200);
});

test("a job that is not this runner's to take is refused by the reason's code", async () => {
	const run = start(job("a"), job("b", { runsOn: ["other"] }));
	const [a, b] = run.jobs.map(({ id }) => id);
	const one = await newRunner("one");
	const two = await newRunner("two");
	await one.poll();
	expect((await two.say("POST acquire", { jobId: a })).status).toBe(409);
	expect((await two.say("POST acquire", { jobId: b })).status).toBe(422);
	expect((await two.say("POST acquire", { jobId: 1 })).status).toBe(404);
	expect((await two.say("POST renew", { jobId: a })).status).toBe(404);
	expect((await two.complete(a ?? 0)).status).toBe(404);
	github.cancelRun(run.id);
	expect((await one.say("POST acquire", { jobId: a })).status).toBe(404);
});

test("an offered job that is not acquired within a minute goes to the next runner", async () => {
	start(job("a"));
	const slow = await newRunner("slow");
	const { body } = await slow.poll();
	clock.pass(30_000);
	await slow.poll(0);
	clock.pass(31_000);
	github.sweep();
	const next = await newRunner("next");
	expect([(await next.poll(0)).body?.jobId, (await slow.poll(0)).body?.jobId]).toContain(body.jobId);
});

test("a job whose runner falls silent fails, and its runner is gone", async () => {
	const run = start(job("a"));
	const runner = await newRunner("silent");
	const { jobId } = await runner.take();
	clock.pass(599_000);
	expect((await runner.say("POST renew", { jobId })).body).toEqual({ cancelled: false });
	clock.pass(599_000);
	github.sweep();
	expect(run.conclusion).toBe(null);
	clock.pass(2_000);
	github.sweep();
	expect(github.job(jobId)).toMatchObject({ conclusion: "failure", annotations: [expect.stringContaining("lost communication")] });
	expect(github.runners()).toEqual([]);
	expect(run.conclusion).toBe("failure");
});

test("a runner below the least version may hold a session but gets no message", async () => {
	const { body } = await registerRunner(github, token, "old");
	const runner = await connectRunner(body.encoded_jit_config, { version: "2.99.0" });
	expect(await runner.poll(0)).toMatchObject({ status: 403, body: { error: "runner_version_deprecated" } });
});

test("a runner that stops polling is offline after a while, and an unused registration is gone after a day", async () => {
	const runner = await newRunner("quiet");
	await runner.poll(0);
	expect(github.runners()[0]?.online).toBe(true);
	clock.pass(61_000);
	expect(github.runners()[0]?.online).toBe(false);
	clock.pass(86_400_000);
	github.sweep();
	expect(github.runners()).toEqual([]);
});

test("a poll that was hung up takes no message with it, and of two polls one gets the job", async () => {
	const runner = await newRunner("flaky");
	const hangUp = new AbortController();
	const path = `message?sessionId=${runner.session.body.sessionId}&waitSeconds=50`;
	const poll = fetch(runner.settings.ServerUrlV2 + path, { headers: { authorization: `Bearer ${runner.token}` }, signal: hangUp.signal });
	while (!github.runners()[0]?.session?.wake) await Bun.sleep(1);
	hangUp.abort();
	await poll.catch(() => null);
	while (github.runners()[0]?.session?.wake) await Bun.sleep(1);
	const run = start(job("a"));
	const statuses = (await Promise.all([runner.poll(1), runner.poll(1)])).map(({ status }) => status);
	expect(statuses.toSorted()).toEqual([200, 202]);
	expect((await runner.say("POST acquire", { jobId: run.jobs[0]?.id })).status).toBe(200);
});

test("a hundred jobs are each done once, by as many runners, however they come", async () => {
	const run = start(job("many", { matrix: Array.from({ length: 100 }, (_, n) => ({ n })) }));
	const done = await Promise.all(
		Array.from({ length: 100 }, async (_, n) => {
			const runner = await newRunner(`r${n}`);
			const { jobId } = await runner.take();
			return (await runner.complete(jobId)).status === 204 ? jobId : null;
		}),
	);
	expect(new Set(done).size).toBe(100);
	expect((await github.waitForRun(run.id)).conclusion).toBe("success");
	expect(new Set(run.jobs.map(({ runner }) => runner?.name)).size).toBe(100);
	expect(github.runners()).toEqual([]);
});

test("a fault on a runner's call is answered in the broker's way", async () => {
	start(job("a"));
	const runner = await newRunner("unlucky");
	github.faults.request({ path: /_broker.acquire/, status: 500, after: true });
	const { body } = await runner.poll();
	expect((await runner.say("POST acquire", body)).status).toBe(500);
	expect((await runner.say("POST acquire", body)).status).toBe(409);
});

test("stopping ends an open poll at once", async () => {
	const runner = await newRunner("listening");
	const poll = runner.poll(50).catch(() => "hung up");
	while (!github.runners()[0]?.session?.wake) await Bun.sleep(1);
	await github.stop();
	expect(["hung up", 202]).toContain(await poll.then((reply) => (typeof reply === "string" ? reply : reply.status)));
});
