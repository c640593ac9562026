// (a) The least that answers the same POST: what workerd and hono cost by themselves.
import { DurableObject } from "cloudflare:workers";
import { Hono } from "hono";

/** Not called here; every worker of the bench has the same bindings. */
export class Queue extends DurableObject {}

const app = new Hono();
app.post("/webhook", (c) => c.json({ accepted: true }));
export default app;
