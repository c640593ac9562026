// POST /webhook: signature over the raw bytes first, then the schema, then whether we serve it, then the queue (DESIGN 3, FACTS 2.6).
import type { Context } from "hono";
import type { JobEvent, WebhookAnswer } from "../contract/job.ts";
import { readBody, readJson } from "./body.ts";
import type { Delivery, Receipt } from "./receive.ts";
import { ask, refuse, refuseStranger, type Served } from "./surroundings.ts";
import { isSigned, readPayload } from "./webhook.ts";

/** A `workflow_job` delivery is about 10 KB; GitHub's own cap is 25 MB. */
const LONGEST = 1024 * 1024;

const ACCEPTED = { status: 202, headers: { "content-type": "application/json" } };

/** Made without the context, which would build its headers anew for each. */
function answer(body: WebhookAnswer): Response {
	return new Response(JSON.stringify(body), ACCEPTED);
}

function isJson(contentType: string | undefined): boolean {
	return /^application\/json\s*(;|$)/i.test(contentType ?? "");
}

/** Serves one delivery. 202 is said only after the queue has stored it. */
export async function serveWebhook(c: Context, served: Served): Promise<Response> {
	if (!isJson(c.req.header("content-type"))) return refuse(c, 415, "a delivery is application/json: set the webhook's content type");
	const body = await readBody(c.req.raw, { cap: LONGEST, within: served.config.clocks.body });
	if (!body.ok) return refuse(c, body.status, body.reason);
	const isOurs = await isSigned(body.bytes, c.req.header("x-hub-signature-256"), served.config.webhookSecrets);
	if (!isOurs) return refuseStranger(c, served, "the signature is missing, malformed or made with another secret");
	return serveSigned(c, served, readJson(body.bytes));
}

async function serveSigned(c: Context, served: Served, payload: unknown): Promise<Response> {
	const event = c.req.header("x-github-event");
	const id = c.req.header("x-github-delivery");
	if (payload === undefined) return refuse(c, 400, "the body is not JSON");
	if (!event) return refuse(c, 400, "X-GitHub-Event is missing");
	if (!id || !/^[\x21-\x7e]{1,128}$/.test(id)) return refuse(c, 400, "X-GitHub-Delivery is missing or no id");
	if (event !== "workflow_job") return decline(served, id, `event ${event.slice(0, 64)} is not served`);
	const read = readPayload(payload, served.now());
	if (!read.ok) {
		// Signed and not understood: GitHub shows its people a failed delivery, this line says why.
		served.log({ at: "webhook", delivery: id, accepted: false, status: 400, reason: read.reason });
		return refuse(c, 400, read.reason);
	}
	if ("unserved" in read.value) return decline(served, id, `action ${read.value.unserved.slice(0, 64)} is not served`);
	const { owner } = read.value.job;
	if (!served.config.owners.has(owner.toLowerCase())) return decline(served, id, `owner ${owner} is not served`);
	return store(c, served, id, read.value);
}

function decline(served: Served, delivery: string, reason: string): Response {
	served.log({ at: "webhook", delivery, accepted: false, reason });
	return answer({ accepted: false, reason });
}

/** A failure that GitHub records, so that the delivery can be sent again. */
const PUT_OFF: Partial<Record<Receipt, string>> = {
	full: "too many open jobs: redeliver later",
	draining: "no new jobs are taken in: redeliver later",
};

async function store(c: Context, served: Served, id: string, event: JobEvent): Promise<Response> {
	const receipt = await ask(served, "receive", (queue) => queue.receive(JSON.stringify({ id, event } satisfies Delivery)));
	const putOff = PUT_OFF[receipt];
	if (putOff) return refuse(c, 503, putOff);
	return answer(receipt === "accepted" ? { accepted: true } : { accepted: false, reason: "duplicate delivery" });
}
