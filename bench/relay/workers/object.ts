// (d) As (b), and a call of a Durable Object that writes nothing.
import { DurableObject } from "cloudflare:workers";
import { Hono } from "hono";
import { readBody } from "../../../relay/body.ts";
import { isSigned } from "../../../relay/webhook.ts";

export class Queue extends DurableObject {
	receive(length: number): string {
		return length > 0 ? "accepted" : "empty";
	}
}

interface Bindings {
	WEBHOOK_SECRET: string;
	QUEUE: DurableObjectNamespace<Queue>;
}

const app = new Hono<{ Bindings: Bindings }>();
app.post("/webhook", async (c) => {
	const body = await readBody(c.req.raw, { cap: 1024 * 1024, within: 10_000 });
	const isOurs = body.ok && (await isSigned(body.text, c.req.header("x-hub-signature-256"), [c.env.WEBHOOK_SECRET]));
	if (!isOurs) return c.json({ accepted: false }, 401);
	const receipt = await c.env.QUEUE.get(c.env.QUEUE.idFromName("queue")).receive(body.text.length);
	return c.json({ accepted: receipt === "accepted" });
});
export default app;
