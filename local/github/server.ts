// The one port of the stand-in: REST API at the root, the runners' broker below /_broker/, the OIDC issuer beside them.
import { Hono } from "hono";
import { refuseAppJwt } from "./app-auth.ts";
import { createBroker } from "./broker.ts";
import { deliveryRoutes } from "./deliveries.ts";
import type { Faults } from "./faults.ts";
import { groupRoutes } from "./groups-api.ts";
import { installationRoutes } from "./installations.ts";
import { jobMessage } from "./job-message.ts";
import { jobRoutes } from "./jobs-api.ts";
import type { Keys } from "./keys.ts";
import { createOidc } from "./oidc.ts";
import type { Exchange } from "./openapi.ts";
import { createRateLimiter, type RateLimits } from "./rate-limit.ts";
import { type ReleaseOptions, releaseRoutes } from "./releases-api.ts";
import { createRest } from "./rest.ts";
import { runnerRoutes } from "./runners-api.ts";
import { runRoutes } from "./runs-api.ts";
import type { Service } from "./service.ts";
import type { Tokens } from "./tokens.ts";
import type { World } from "./world.ts";

export interface ServerOptions {
	service: Service;
	world: World;
	keys: Keys;
	tokens: Tokens;
	api: () => string;
	/** Where machines reach this server. */
	machinesApi: () => string;
	limits: RateLimits;
	/** Null lets any runner work. */
	minimumVersion: string | null;
	releases: ReleaseOptions[];
	/** Ends the long polls. */
	stopping: AbortSignal;
	onExchange?: (exchange: Exchange) => void;
	now: () => number;
}

const brokerUrlOf = (api: () => string) => () => `${api()}/_broker/`;

function restOf({ service, world, keys, tokens, api, machinesApi, limits, releases, onExchange, now }: ServerOptions) {
	const { runs, runners, deliveries, webhooks, faults } = service;
	const routes = [
		...installationRoutes(api, world, tokens, now()),
		...deliveryRoutes(deliveries, webhooks.redeliver),
		...runRoutes(api, runs, now),
		...jobRoutes(api, runs, now),
		...runnerRoutes({ runners, keys: keys.runner, brokerUrl: brokerUrlOf(machinesApi) }),
		...groupRoutes(api),
		...releaseRoutes(api, releases),
	];
	const refuseJwt = (token: string) => refuseAppJwt(token, world, keys.app.publicKey, now());
	return createRest({ world, tokens, faults, limiter: createRateLimiter(limits, now), routes, refuseJwt, onExchange });
}

function oidcOf({ service, keys, api, machinesApi, now }: ServerOptions) {
	const job = (id: number) => {
		const found = service.runs.jobs.get(id);
		const run = found && service.runs.all.get(found.runId);
		return found && run ? { job: found, run } : null;
	};
	return createOidc({ keys: keys.oidc, issuer: api, requests: machinesApi, job, now });
}

function brokerOf({ service, keys, machinesApi, stopping, minimumVersion, now }: ServerOptions, oidc: ReturnType<typeof createOidc>) {
	const { runners, work } = service;
	return createBroker({
		...{ runners, work, keys: keys.runner, brokerUrl: brokerUrlOf(machinesApi), now, stopping, minimumVersion },
		message: (job, run) => jobMessage(run, job, machinesApi(), oidc.requestOf(job)),
	});
}

/** Faults of the runners' calls; those of the REST API are its own. */
function brokerFaults(faults: Faults): Hono {
	const app = new Hono();
	app.use(async (c, next) => {
		const fault = faults.takeRequest(c.req.method, c.req.path);
		if (!fault || fault.after) await next();
		if (fault) c.res = Response.json({ error: fault.message ?? "injected" }, { status: fault.status, headers: fault.headers });
	});
	return app;
}

export function createServer(options: ServerOptions): Hono {
	const rest = restOf(options);
	const oidc = oidcOf(options);
	const app = new Hono();
	app.route("/_broker", brokerFaults(options.service.faults));
	app.route("/_broker", brokerOf(options, oidc));
	app.route("/", oidc.app);
	app.all("*", (c) => rest(c.req.raw));
	return app;
}
