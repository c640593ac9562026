// The Worker: reads its environment, wires the routes to the one queue object. The only file that knows the bindings.
import { version } from "../package.json";
import { type ConfigResult, parseConfig } from "./config.ts";
import { QueueObject } from "./queue-object.ts";
import { readRateLimits } from "./rate-limits.ts";
import { createRoutes } from "./routes.ts";
import type { QueueCalls } from "./surroundings.ts";

interface Env extends Cloudflare.Env {
	QUEUE: DurableObjectNamespace;
}

/** One line for each decision, as JSON. */
function log(record: Record<string, unknown>): void {
	// biome-ignore lint/suspicious/noConsole: a Worker has no other way to log.
	console.log(JSON.stringify(record));
}

function readConfig(env: Env): ConfigResult {
	return parseConfig(env as unknown as Record<string, unknown>);
}

/** The object that holds the queue. There is one: it serves a thousand requests a second (DESIGN 13). */
export class Queue extends QueueObject {
	constructor(ctx: DurableObjectState, env: Env) {
		const read = readConfig(env);
		if (!read.ok) throw new Error("the queue is not called before the configuration holds");
		super(ctx, env, read.config, log);
	}
}

function routesOf(env: Env) {
	const id = env.QUEUE.idFromName("queue");
	const queue = () => env.QUEUE.get(id) as unknown as QueueCalls;
	const limits = readRateLimits(env as unknown as Record<string, unknown>);
	return createRoutes(readConfig(env), { queue, now: Date.now, log, limits, version });
}

let routes: ReturnType<typeof routesOf> | undefined;

export default {
	fetch(request: Request, env: Env): Response | Promise<Response> {
		routes ??= routesOf(env);
		return routes.fetch(request);
	},
};
