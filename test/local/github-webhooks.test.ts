// Deliveries: their record, redelivery, and what may go wrong on the way.
import { afterEach, beforeEach, expect, test } from "bun:test";
import examples from "@octokit/webhooks-examples";
import { verify } from "@octokit/webhooks-methods";
import { checkJobEvent } from "../../local/github/openapi.ts";
import {
	appJwt,
	call,
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
const secret = "another secret of the hook";
let github: TestGitHub;
let receiver: ReturnType<typeof startReceiver>;
let jwt: string;

beforeEach(async () => {
	receiver = startReceiver();
	github = await startChecked({ webhookUrl: receiver.url, webhookSecret: secret });
	jwt = appJwt(github);
});
afterEach(async () => {
	expect(github.problems).toEqual([]);
	await github.stop();
	await receiver.stop();
});

const hook = (path: string) => call(github, jwt, `GET /app/hook/deliveries${path}`);
const guids = () => receiver.received.map(({ headers }) => headers.get("x-github-delivery"));

/** Runs one job to its end; the actions in order of arrival. */
async function oneRun(): Promise<string[]> {
	const run = github.createRun({ workflow: workflow(job("build")), repository });
	await runOneJob(github, await installationToken(github), `r${run.id}`);
	await github.waitForRun(run.id);
	return receiver.received.map(({ body }) => body.action);
}

test("a delivery has every key of GitHub's own example and passes octokit's verification", async () => {
	await oneRun();
	const recorded = examples.find(({ name }) => name === "workflow_job")?.examples as unknown as Record<string, object>[];
	const example = recorded.find(({ action, installation }) => String(action) === "queued" && installation);
	const sent = receiver.received[0];
	for (const part of ["workflow_job", "repository", "sender", "installation"])
		expect(Object.keys(sent?.body[part])).toEqual(expect.arrayContaining(Object.keys(example?.[part] ?? {})));
	expect(await verify(secret, sent?.text ?? "", sent?.headers.get("x-hub-signature-256") ?? "")).toBe(true);
	expect(sent?.headers.get("user-agent")).toStartWith("GitHub-Hookshot/");
	for (const { body } of receiver.received) expect(checkJobEvent(body.action, body)).toEqual([]);
});

test("a refused delivery is recorded as a failure, is not sent again by itself, and is redelivered with the same GUID and body", async () => {
	receiver.answer = () => new Response("full", { status: 503 });
	const run = github.createRun({ workflow: workflow(job("build")), repository });
	github.cancelRun(run.id);
	await github.waitForRun(run.id);
	const failed = (await hook("?status=failure")).body;
	expect(failed).toMatchObject([
		{ action: "completed", status_code: 503, redelivery: false, event: "workflow_job" },
		{ action: "queued", status_code: 503, status: "Invalid HTTP Response: 503" },
	]);
	expect(receiver.received).toHaveLength(2);
	receiver.answer = () => new Response("", { status: 202 });
	const { id, guid } = failed[1];
	expect((await call(github, jwt, `POST /app/hook/deliveries/${id}/attempts`)).status).toBe(202);
	while (github.deliveries().length < 3) await Bun.sleep(1);
	expect(guids()).toEqual([guid, failed[0].guid, guid]);
	expect(receiver.received[2]?.text).toBe(receiver.received[0]?.text ?? "");
	expect((await hook("?status=success")).body).toMatchObject([{ guid, redelivery: true, status: "OK", status_code: 202 }]);
	expect((await hook(`/${id}`)).body).toMatchObject({
		request: { payload: { action: "queued" } },
		response: { payload: "full" },
		url: receiver.url,
	});
});

test("deliveries are listed newest first, page by page", async () => {
	await oneRun();
	const first = await hook("?per_page=2");
	expect(first.body.map(({ action }: { action: string }) => action)).toEqual(["completed", "in_progress"]);
	const next = /<([^>]+)>; rel="next"/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
	const second = await call(github, jwt, `GET ${next.slice(github.url.length)}`);
	expect(second.body.map(({ action }: { action: string }) => action)).toEqual(["queued"]);
	expect(second.headers.get("link")).toBe(null);
	expect((await hook("?cursor=nonsense")).status).toBe(400);
	expect((await hook("?status=odd")).status).toBe(422);
	expect((await hook("/1")).status).toBe(404);
	expect((await call(github, jwt, "POST /app/hook/deliveries/1/attempts")).status).toBe(404);
});

test("a receiver that is not there is recorded too", async () => {
	github.setWebhook("http://127.0.0.1:9/webhook");
	const run = github.createRun({ workflow: workflow(job("build")), repository });
	github.cancelRun(run.id);
	await github.waitForRun(run.id);
	expect((await hook("?status=failure")).body).toMatchObject([
		{ status: "failed to connect to host", status_code: 502 },
		{ status_code: 502 },
	]);
});

test("a lost webhook leaves no trace, a failed one does", async () => {
	github.faults.webhook({ kind: "lose", matches: ({ action }) => action === "queued" });
	github.faults.webhook({ kind: "fail", matches: ({ action }) => action === "completed" });
	expect(await oneRun()).toEqual(["in_progress"]);
	expect(github.deliveries().map(({ action, statusCode }) => `${action} ${statusCode}`)).toEqual(["in_progress 202", "completed 502"]);
});

test("a doubled webhook comes twice with one GUID", async () => {
	github.faults.webhook({ kind: "duplicate", matches: ({ action }) => action === "queued" });
	expect(await oneRun()).toEqual(["queued", "queued", "in_progress", "completed"]);
	expect(new Set(guids()).size).toBe(3);
});

test("a webhook comes after the one that followed it when it is reordered or delayed", async () => {
	github.faults.webhook({ kind: "reorder", matches: ({ action }) => action === "queued" });
	github.faults.webhook({ kind: "delay", delayMs: 500, matches: ({ action }) => action === "in_progress" });
	expect(await oneRun()).toEqual(["completed", "queued", "in_progress"]);
});

test("a fault takes as many requests as it was told, and one `after` loses only the answer", async () => {
	const token = await installationToken(github);
	github.faults.request({ path: /generate-jitconfig$/, status: 429, times: 2, headers: { "retry-after": "7" } });
	for (const _ of [1, 2]) {
		const refused = await registerRunner(github, token, "r");
		expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "7"]);
	}
	github.faults.request({ method: "POST", path: /generate-jitconfig$/, status: 500, after: true });
	expect((await registerRunner(github, token, "r")).status).toBe(500);
	expect((await registerRunner(github, token, "r")).status).toBe(409);
	github.faults.request({ path: /./, status: 401 });
	github.faults.clear();
	expect((await call(github, jwt, "GET /app")).status).toBe(200);
});

test("stopping ends a delivery under way at once", async () => {
	receiver.answer = () => new Promise<Response>(() => {});
	github.createRun({ workflow: workflow(job("build")), repository });
	while (receiver.received.length === 0) await Bun.sleep(1);
	await github.stop();
	expect(github.deliveries()).toEqual([]);
});
