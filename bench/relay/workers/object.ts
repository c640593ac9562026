// (d) The relay with an object that writes nothing: what is left when storage is taken away.
import { DurableObject } from "cloudflare:workers";
import { parseConfig } from "../../../relay/config.ts";
import { readRateLimits } from "../../../relay/rate-limits.ts";
import type { Delivery, Receipt } from "../../../relay/receive.ts";
import { createRoutes } from "../../../relay/routes.ts";
import type { QueueCalls } from "../../../relay/surroundings.ts";

export class Queue extends DurableObject {
	receive(delivery: string): Receipt {
		const { id } = JSON.parse(delivery) as Delivery;
		return id === "" ? "duplicate" : "accepted";
	}
}

interface Bindings extends Record<string, unknown> {
	QUEUE: DurableObjectNamespace<Queue>;
}

function routesOf(env: Bindings) {
	const id = env.QUEUE.idFromName("queue");
	const queue = () => env.QUEUE.get(id) as unknown as QueueCalls;
	return createRoutes(parseConfig(env), { queue, now: Date.now, log: () => undefined, limits: readRateLimits(env), version: "bench" });
}

let routes: ReturnType<typeof routesOf> | undefined;

export default {
	fetch(request: Request, env: Bindings): Response | Promise<Response> {
		routes ??= routesOf(env);
		return routes.fetch(request);
	},
};
