// What the stand-in sends is what Octokit's own receiver takes: signature and payload, checked by a library that neither side here uses.
import { describe, expect, test } from "bun:test";
import { type EmitterWebhookEvent, Webhooks } from "@octokit/webhooks";
import { startGitHub } from "../../local/github.ts";
import { job, workflow } from "./github-client.ts";

describe("a delivery of the stand-in", () => {
	test("is verified and understood by @octokit/webhooks, and by no other secret", async () => {
		const webhookSecret = "a secret of the test, long enough to be one";
		const received: EmitterWebhookEvent<"workflow_job.queued">[] = [];
		const receiver = new Webhooks({ secret: webhookSecret });
		receiver.on("workflow_job.queued", (event) => void received.push(event));
		const told = Promise.withResolvers<boolean>();
		const server = Bun.serve({
			hostname: "127.0.0.1",
			port: 0,
			async fetch(request) {
				const payload = await request.text();
				const header = (name: string) => request.headers.get(name) ?? "";
				const delivery = {
					id: header("x-github-delivery"),
					name: "workflow_job" as const,
					payload,
					signature: header("x-hub-signature-256"),
				};
				await receiver.verifyAndReceive(delivery);
				told.resolve(await new Webhooks({ secret: "another secret" }).verify(payload, delivery.signature));
				return new Response(null, { status: 202 });
			},
		});
		const github = await startGitHub({ webhookUrl: server.url.href, webhookSecret });
		try {
			github.createRun({ workflow: workflow(job("build")), repository: "octo-org/octo-repo" });
			expect(await told.promise).toBeFalse();
			expect(received[0]?.payload.workflow_job.labels).toEqual(["mayfly"]);
			expect(received[0]?.payload.repository.full_name).toBe("octo-org/octo-repo");
		} finally {
			await github.stop();
			await server.stop(true);
		}
	});
});
