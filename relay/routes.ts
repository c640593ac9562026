// The HTTP surface of DESIGN 3: who may call what, and which status answers. Everything it does is handed in; the rules are elsewhere.
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { JOB_STATES, type JobState } from "../contract/job.ts";
import { parseLeaseRequest } from "../contract/lease.ts";
import { parseObserveRequest } from "../contract/observe.ts";
import type { Parsed } from "../contract/parse.ts";
import { parseReport } from "../contract/report.ts";
import { parseSettleRequest } from "../contract/settle.ts";
import { parseSwitchChange } from "../contract/switches.ts";
import { bearerToken, isOneOf, machineOfToken } from "./auth.ts";
import { readBody, readJson } from "./body.ts";
import type { ConfigResult } from "./config.ts";
import { mayCall } from "./rate-limits.ts";
import { serveWebhook } from "./route-webhook.ts";
import { addressOf, ask, QueueError, refuse, refuseStranger, type Served, type Surroundings, slowDown } from "./surroundings.ts";

const REPORT_BYTES = 64 * 1024;
const OPERATOR_BYTES = 64 * 1024;
/** A settle of 100 jobs carries their launch requests, an observe 5,000 machines. */
const POLLER_BYTES = 16 * 1024 * 1024;
const LISTED = { usual: 100, most: 1000 };

/** Which methods a path has. Told on the way out, so that a call that is served meets one handler alone. */
const METHODS: [path: RegExp, allow: string][] = [
	[/^\/(?:webhook|lease|settle|observe|report)$/, "POST"],
	[/^\/(?:health|jobs|jobs\/[^/]+|starts|stats)$/, "GET"],
	[/^\/switches$/, "GET, POST"],
];

/** Builds the app. While the configuration has problems, only `/health` is served (DESIGN 3). */
export function createRoutes(config: ConfigResult, surroundings: Surroundings): Hono {
	const app = new Hono();
	app.onError((error, c) => {
		surroundings.log({ at: "error", path: c.req.path, error: error.message });
		return error instanceof QueueError ? refuse(c, 503, "storage failed: nothing was acknowledged") : refuse(c, 500, "unexpected failure");
	});
	app.get("/health", (c) => c.json({ ok: true, version: surroundings.version }));
	if (config.ok) serve(app, { ...surroundings, config: config.config });
	else surroundings.log({ at: "configuration", problems: config.problems });
	app.notFound((c) =>
		config.ok || c.req.path === "/health" ? refuseUnknown(c) : refuse(c, 503, `not configured: ${config.problems.join("; ")}`),
	);
	return app;
}

/** 405 to another method of a path, naming those it has; 404 to any other path. */
function refuseUnknown(c: Context): Response {
	const { path } = c.req;
	const allow = METHODS.find(([known]) => known.test(path))?.[1];
	if (!allow) return refuse(c, 404, "no such path");
	c.header("allow", allow);
	return refuse(c, 405, `${path} takes ${allow}`);
}

function serve(app: Hono, served: Served): void {
	const poller = bearer(served, "poller", served.config.pollerTokens);
	const operator = bearer(served, "operator", served.config.operatorTokens);
	const reader: MiddlewareHandler = served.config.publicStats ? anyone(served) : operator;
	app.post("/webhook", (c) => serveWebhook(c, served));
	app.post("/lease", poller, (c) =>
		parsed(c, served, parseLeaseRequest, POLLER_BYTES, (it) => ask(served, "lease", (queue) => queue.lease(it))),
	);
	app.post("/settle", poller, (c) =>
		parsed(c, served, parseSettleRequest, POLLER_BYTES, (it) => ask(served, "settle", (queue) => queue.settle(it))),
	);
	app.post("/observe", poller, (c) =>
		parsed(c, served, parseObserveRequest, POLLER_BYTES, (it) => ask(served, "observe", (queue) => queue.observe(it))),
	);
	app.post("/report", (c) => serveReport(c, served));
	app.get("/jobs", operator, (c) => serveJobs(c, served));
	app.get("/jobs/:id", operator, (c) => serveJob(c, served));
	app.get("/starts", operator, (c) => serveStarts(c, served));
	app.get("/stats", reader, async (c) => c.json(await ask(served, "stats", (queue) => queue.stats())));
	app.get("/switches", operator, async (c) => c.json(await ask(served, "switches", (queue) => queue.switches())));
	app.post("/switches", operator, (c) =>
		parsed(c, served, parseSwitchChange, OPERATOR_BYTES, (it) => ask(served, "turn", (queue) => queue.turn(it))),
	);
}

/** Lets in who holds one of the tokens, as often as one caller may. */
function bearer(served: Served, caller: string, tokens: readonly string[]): MiddlewareHandler {
	return async function bearerOf(c, next) {
		const isHeld = await isOneOf(bearerToken(c.req.header("authorization")), tokens);
		if (isHeld) return (await mayCall(served.limits.callers, caller)) ? next() : slowDown(c, `the ${caller} calls too often`);
		c.header("www-authenticate", "Bearer");
		return refuseStranger(c, served, "the bearer token is missing or wrong");
	};
}

function anyone({ limits }: Served): MiddlewareHandler {
	return async (c, next) => ((await mayCall(limits.callers, addressOf(c))) ? next() : slowDown(c, "this address calls too often"));
}

/** Reads, parses and answers a JSON call; what does not parse is refused with the parser's reason. */
async function parsed<T>(
	c: Context,
	{ config }: Served,
	parse: (input: unknown) => Parsed<T>,
	cap: number,
	call: (value: T) => Promise<object>,
): Promise<Response> {
	const body = await readBody(c.req.raw, { cap, within: config.clocks.body });
	if (!body.ok) return refuse(c, body.status, body.reason);
	const json = readJson(body.bytes);
	if (json === undefined) return refuse(c, 400, "the body is not JSON");
	const read = parse(json);
	return read.ok ? c.json(await call(read.value)) : refuse(c, 400, read.reason);
}

/** A machine's report: taken as a hint, answered with nothing. The token must be the machine's own. */
async function serveReport(c: Context, served: Served): Promise<Response> {
	const instanceId = await machineOfToken(bearerToken(c.req.header("authorization")), served.config.reportKeys, served.now());
	if (instanceId === null) return refuseStranger(c, served, "the report token is missing, wrong or expired");
	if (!(await mayCall(served.limits.machines, instanceId))) return slowDown(c, TOO_OFTEN);
	const body = await readBody(c.req.raw, { cap: REPORT_BYTES, within: served.config.clocks.body });
	if (!body.ok) return refuse(c, body.status, body.reason);
	const read = parseReport(readJson(body.bytes));
	if (!read.ok) return refuse(c, 400, read.reason);
	if (read.value.instanceId !== instanceId) return refuse(c, 401, "the report token is another machine's");
	const isTaken = await ask(served, "report", (queue) => queue.report(read.value));
	return isTaken ? c.body(null, 204) : slowDown(c, TOO_OFTEN);
}

const TOO_OFTEN = "this machine reports too often";

async function serveJobs(c: Context, served: Served): Promise<Response> {
	const { state = "" } = c.req.query();
	const wanted: JobState | null = JOB_STATES.find((known) => known === state) ?? null;
	if (state !== "" && wanted === null) return refuse(c, 400, `state is one of ${JOB_STATES.join(", ")}`);
	const limit = limitOf(c);
	return limit === null ? refuse(c, 400, NO_LIMIT) : c.json(await ask(served, "jobs", (queue) => queue.jobs(wanted, limit)));
}

async function serveStarts(c: Context, served: Served): Promise<Response> {
	const limit = limitOf(c);
	return limit === null ? refuse(c, 400, NO_LIMIT) : c.json(await ask(served, "starts", (queue) => queue.starts(limit)));
}

const NO_LIMIT = "limit is a whole number from 1";

function limitOf(c: Context): number | null {
	const text = c.req.query("limit") ?? String(LISTED.usual);
	const count = /^[0-9]{1,6}$/.test(text) ? Number(text) : 0;
	return count < 1 ? null : Math.min(count, LISTED.most);
}

async function serveJob(c: Context, served: Served): Promise<Response> {
	const id = Number(/^[1-9][0-9]{0,15}$/.exec(c.req.param("id") ?? "")?.[0] ?? 0);
	const job = Number.isSafeInteger(id) && id > 0 ? await ask(served, "job", (queue) => queue.job(id)) : null;
	return job ? c.json(job) : refuse(c, 404, "no such job");
}
