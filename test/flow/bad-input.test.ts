// Everything that should not be there, sent to the whole system while it runs: refused as DESIGN 3 says, nothing lost, nothing launched.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import examples from "@octokit/webhooks-examples";
import { driveRun } from "../../local/drive.ts";
import { type System, startSystem } from "../../local/system.ts";
import { readWorkflow } from "../../local/workflow/read.ts";

const LONG = 120_000;
let folder: string;
let system: System;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "mf-"));
	system = await startSystem({ folder, machines: 4 });
}, LONG);
afterAll(async () => {
	await system.stop();
	await rm(folder, { recursive: true, force: true });
});

type Answer = [status: number, body: { accepted?: boolean; error?: string; reason?: string }];
const payload = (examples.find(({ name }) => name === "workflow_job")?.examples ?? []).find(
	(it) => "action" in it && it.action === "queued",
);
const { workflow_job } = payload as { workflow_job: object };
const BODY = JSON.stringify({ ...payload, workflow_job: { ...workflow_job, status: "queued" } }).replaceAll("Octocoders", "octo-org");
const sign = (body: string, secret = system.github.app.webhookSecret) =>
	`sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
let deliveries = 0;

async function webhook(body: string, headers: Record<string, string> = {}): Promise<Answer> {
	const response = await fetch(`${system.relay.url}/webhook`, {
		method: "POST",
		body,
		headers: {
			...{ "content-type": "application/json", "x-github-event": "workflow_job", "x-github-delivery": `bad-${++deliveries}` },
			...{ "x-hub-signature-256": sign(body), ...headers },
		},
	});
	return [response.status, (await response.json()) as Answer[1]];
}
const report = (token: string, body: object = {}) =>
	fetch(`${system.relay.url}/report`, { method: "POST", headers: { authorization: `Bearer ${token}` }, body: JSON.stringify(body) });

describe("while jobs run, the system", () => {
	test(
		"refuses a webhook that is forged, cut, too long, no JSON, of another event or seen before",
		async () => {
			const jobs = new Map(await system.ledger());
			expect((await webhook(BODY, { "x-hub-signature-256": sign(BODY, "guessed") }))[0]).toBe(401);
			expect((await webhook(BODY.slice(0, -20), { "x-hub-signature-256": sign(BODY) }))[0]).toBe(401);
			expect((await webhook(BODY.slice(0, -20)))[0]).toBe(400);
			expect((await webhook(`${BODY.slice(0, -1)},"x":"${"x".repeat(1024 * 1024)}"}`))[0]).toBe(413);
			expect((await webhook(BODY, { "content-type": "text/plain" }))[0]).toBe(415);
			expect((await webhook("null"))[0]).toBe(400);
			expect(await webhook(JSON.stringify({ zen: "Keep it." }), { "x-github-event": "ping" })).toMatchObject([202, { accepted: false }]);
			// Signed by GitHub, but of an owner that nobody here serves.
			expect(await webhook(BODY.replaceAll("octo-org", "someone-else"))).toMatchObject([202, { accepted: false }]);
			expect(new Map(await system.ledger())).toEqual(jobs);
		},
		LONG,
	);

	test(
		"gives a job that GitHub does not know no machine, however well its webhook is signed",
		async () => {
			const first = await webhook(BODY, { "x-github-delivery": "replayed" });
			expect(first).toEqual([202, { accepted: true }]);
			expect(await webhook(BODY, { "x-github-delivery": "replayed" })).toMatchObject([202, { accepted: false }]);
			await Bun.sleep(1_500);
			expect(system.ec2.instances()).toEqual([]);
			expect(system.ec2.calls().filter(({ action }) => action === "CreateFleet")).toEqual([]);
		},
		LONG,
	);

	test(
		"refuses reports without a token, with a made-up one and with an expired one",
		async () => {
			const instanceId = "i-0abcdef1234567890";
			const said = { version: 1, instanceId, sequence: 1, phase: "claimed", at: Date.now(), jobId: 1 };
			const later = Math.floor(Date.now() / 1000) + 600;
			for (const token of ["", "x", `${instanceId}.${later}.${"0".repeat(64)}`, `${instanceId}.1000000000.${"0".repeat(64)}`]) {
				expect((await report(token, said)).status).toBe(401);
			}
		},
		LONG,
	);

	test(
		"refuses the poller's and the operator's calls to anyone else",
		async () => {
			const asked = [
				"POST /lease",
				"POST /settle",
				"POST /observe",
				"GET /jobs",
				"GET /jobs/1",
				"GET /stats",
				"GET /switches",
				"POST /switches",
			];
			for (const call of asked) {
				const [method = "", path = ""] = call.split(" ");
				for (const authorization of ["", "Bearer wrong", `Bearer ${system.github.app.webhookSecret}`]) {
					const body = method === "POST" ? "{}" : undefined;
					const response = await fetch(system.relay.url + path, {
						method,
						body,
						headers: { authorization, "content-type": "application/json" },
					});
					expect([call, response.status]).toEqual([call, 401]);
				}
			}
		},
		LONG,
	);

	test(
		"still runs what GitHub really asks for",
		async () => {
			const read = readWorkflow("good.yml", "on: push\njobs:\n  good:\n    runs-on: self-hosted\n    steps: [{ run: echo good }]\n");
			if (!read.ok) throw new Error("the workflow is wrong");
			const summary = await driveRun(system, read.workflow, { signal: AbortSignal.timeout(LONG) });
			expect([summary.ok, summary.jobs[0]?.conclusion, summary.instances]).toEqual([
				true,
				"success",
				{ launched: 1, terminated: 1, alive: 0 },
			]);
		},
		LONG,
	);
});
