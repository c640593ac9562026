// The front of the REST API: faults, authentication, limits and permissions before a route, GitHub's headers after it.
import { createHash, randomUUID } from "node:crypto";
import { type Answer, notFound, refusal } from "./answer.ts";
import type { Faults } from "./faults.ts";
import { type Exchange, isGitHubCall } from "./openapi.ts";
import type { RateLimiter } from "./rate-limit.ts";
import type { Call, Route } from "./route.ts";
import { type InstallationToken, permits, reaches, type Tokens } from "./tokens.ts";
import { accountNamed, repositoryNamed, type World } from "./world.ts";

export interface RestPorts {
	world: World;
	tokens: Tokens;
	faults: Faults;
	limiter: RateLimiter;
	routes: Route[];
	/** Null when the JWT is the App's. */
	refuseJwt: (token: string) => Answer | null;
	onExchange?: (exchange: Exchange) => void;
}

interface Found {
	route: Route;
	params: Record<string, string>;
}

/** Null for a part that is no good percent-encoding. */
function decoded(part: string): string | null {
	try {
		return decodeURIComponent(part);
	} catch {
		return null;
	}
}

function paramsOf(template: string, path: string): Record<string, string> | null {
	const parts = path.split("/").map(decoded);
	const names = template.split("/");
	if (parts.length !== names.length) return null;
	const params: Record<string, string> = {};
	for (const [at, name] of names.entries()) {
		const part = parts[at];
		if (name.startsWith("{") && part) params[name.slice(1, -1)] = part;
		else if (name !== part) return null;
	}
	return params;
}

function find(routes: Route[], method: string, path: string): Found | null {
	for (const route of routes) {
		const params = route.method === method ? paramsOf(route.path, path) : null;
		if (params) return { route, params };
	}
	return null;
}

type OfAnyone = Extract<Route, { access: "app" | "public" }>;

type Caller =
	| { kind: "app"; who: string }
	| { kind: "installation"; who: string; token: InstallationToken }
	| { kind: "refused"; answer: Answer };

function callerOf(ports: RestPorts, authorization: string | null): Caller {
	const token = /^(?:bearer|token) (.+)$/i.exec(authorization ?? "")?.[1];
	if (!token) return { kind: "refused", answer: refusal(401, "Requires authentication") };
	const held = ports.tokens.find(token);
	if (held) return { kind: "installation", who: `installation ID ${held.account.installationId}`, token: held };
	if (token.startsWith("ghs_") || token.split(".").length !== 3) return { kind: "refused", answer: refusal(401, "Bad credentials") };
	const answer = ports.refuseJwt(token);
	return answer ? { kind: "refused", answer } : { kind: "app", who: "app" };
}

/** Runs the route, or says why this caller may not (FACTS 2.2). */
function answerAs(ports: RestPorts, { route }: Found, caller: Caller, call: Call): Answer | Promise<Answer> {
	if (caller.kind === "refused") return caller.answer;
	if (route.access === "app") {
		if (caller.kind !== "app") return refusal(401, "A JSON web token could not be decoded");
		return (route as OfAnyone).answer(call);
	}
	if (caller.kind === "app") return refusal(403, "Resource not accessible by integration");
	if (route.access === "public") return (route as OfAnyone).answer(call);
	const { token } = caller;
	const { org, owner = "", repo } = call.params;
	const account = accountNamed(ports.world, org ?? owner);
	const repository = repo === undefined ? null : repositoryNamed(ports.world, owner, repo);
	if (!account || account.id !== token.account.id || (org !== undefined && account.type !== "Organization")) return notFound();
	if (repo !== undefined && (!repository || !reaches(token, repository))) return notFound();
	const { permission, level } = route.access;
	if (!permits(token.permissions, permission, level))
		return refusal(403, "Resource not accessible by integration", { "x-accepted-github-permissions": `${permission}=${level}` });
	return (route as Exclude<Route, OfAnyone>).answer({ ...call, token, account, repository });
}

async function bodyOf(request: Request): Promise<{ ok: true; body: unknown } | { ok: false }> {
	const text = await request.text();
	if (text === "") return { ok: true, body: null };
	try {
		return { ok: true, body: JSON.parse(text) as unknown };
	} catch {
		return { ok: false };
	}
}

async function answerOf(
	ports: RestPorts,
	request: Request,
	url: URL,
	parsed: { ok: true; body: unknown } | { ok: false },
): Promise<Answer> {
	const { method } = request;
	const fault = ports.faults.takeRequest(method, url.pathname);
	const faulted = fault && refusal(fault.status, fault.message ?? "injected by the test", fault.headers);
	if (faulted && !fault.after) return faulted;
	if (!parsed.ok) return refusal(400, "Problems parsing JSON");
	const found = find(ports.routes, method, url.pathname);
	if (!found)
		return isGitHubCall(method, url.pathname) ? refusal(501, `This stand-in has no ${method} ${url.pathname}, GitHub does`) : notFound();
	const caller = callerOf(ports, request.headers.get("authorization"));
	const limited = caller.kind === "refused" ? null : ports.limiter.take(caller.who, method);
	const { params } = found;
	const id = (name: string) => (/^\d+$/.test(params[name] ?? "") ? Number(params[name]) : Number.NaN);
	const call: Call = { params, id, query: url.searchParams, url: url.href, body: parsed.body };
	const answer = limited ?? (await answerAs(ports, found, caller, call));
	const headers = caller.kind === "refused" ? {} : ports.limiter.headers(caller.who);
	return faulted ?? { ...answer, headers: { ...headers, ...answer.headers } };
}

function respond(answer: Answer, request: Request): Response {
	const text = answer.body === null ? null : JSON.stringify(answer.body);
	const headers = new Headers({ ...answer.headers, "x-github-request-id": randomUUID(), "x-github-media-type": "github.v3; format=json" });
	if (text !== null) headers.set("content-type", "application/json; charset=utf-8");
	if (request.method === "GET" && answer.status === 200) {
		const etag = `W/"${createHash("sha256")
			.update(text ?? "")
			.digest("hex")}"`;
		headers.set("etag", etag);
		if (request.headers.get("if-none-match") === etag) return new Response(null, { status: 304, headers });
	}
	return new Response(text, { status: answer.status, headers });
}

/** The handler of every REST request. */
export function createRest(ports: RestPorts): (request: Request) => Promise<Response> {
	return async (request) => {
		const url = new URL(request.url);
		const parsed = await bodyOf(request);
		if (ports.faults.latencyMs > 0) await Bun.sleep(ports.faults.latencyMs);
		const answer = await answerOf(ports, request, url, parsed);
		const response = respond(answer, request);
		const caller = callerOf(ports, request.headers.get("authorization"));
		if (response.status === 304 && caller.kind !== "refused") ports.limiter.giveBack(caller.who);
		ports.onExchange?.({
			...{ method: request.method, path: url.pathname + url.search, requestBody: parsed.ok ? parsed.body : null },
			...{ status: response.status, responseBody: response.status === 304 ? null : answer.body },
		});
		return response;
	};
}
