// (b) The body read and its signature checked, nothing more.
import { DurableObject } from "cloudflare:workers";
import { Hono } from "hono";
import { readBody } from "../../../relay/body.ts";
import { isSigned } from "../../../relay/webhook.ts";

export class Queue extends DurableObject {}

const app = new Hono<{ Bindings: { WEBHOOK_SECRET: string } }>();
app.post("/webhook", async (c) => {
	const body = await readBody(c.req.raw, { cap: 1024 * 1024, within: 10_000 });
	const isOurs = body.ok && (await isSigned(body.bytes, c.req.header("x-hub-signature-256"), [c.env.WEBHOOK_SECRET]));
	return isOurs ? c.json({ accepted: true }) : c.json({ accepted: false }, 401);
});
export default app;
