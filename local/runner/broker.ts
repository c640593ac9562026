// The runner's side of local/github/protocol.ts: one request each, with an access token that is fetched when there is none or it ended.
import { createPrivateKey, randomUUID, sign } from "node:crypto";
import type { AccessToken, BrokerMessage, Completion, JobMessage, Renewal, Session } from "../github/protocol.ts";
import type { Registration } from "./registration.ts";

/** An answer that is not the one hoped for; status 0 is no answer at all. */
export class BrokerError extends Error {
	override name = "BrokerError";
	constructor(
		readonly operation: string,
		readonly status: number,
		readonly code: string,
		options?: ErrorOptions,
	) {
		super(`${operation}: ${status === 0 ? "no answer" : `status ${status}`}${code ? `, ${code}` : ""}`, options);
	}
}

export interface Broker {
	/** Proves who the runner is; the other calls then have a token. */
	connect(): Promise<void>;
	openSession(version: string): Promise<string>;
	closeSession(sessionId: string): Promise<void>;
	nextMessage(sessionId: string, waitMs: number, signal: AbortSignal): Promise<BrokerMessage | null>;
	acquire(jobId: number): Promise<JobMessage>;
	renew(jobId: number): Promise<Renewal>;
	log(jobId: number, lines: string[]): Promise<void>;
	complete(completion: Completion): Promise<void>;
}

/** RFC 7523: the runner proves who it is with its own key. */
function assertionOf({ credentials, key }: Registration): string {
	const { ClientId, AuthorizationUrl } = credentials.Data;
	const now = Math.floor(Date.now() / 1000);
	const claims = { sub: ClientId, iss: ClientId, aud: AuthorizationUrl, jti: randomUUID(), iat: now, nbf: now - 30, exp: now + 300 };
	const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
	const text = `${encode({ alg: "RS256", typ: "JWT" })}.${encode(claims)}`;
	return `${text}.${sign("RSA-SHA256", Buffer.from(text), createPrivateKey({ key, format: "jwk" })).toString("base64url")}`;
}

async function codeOf(response: Response): Promise<string> {
	const body: unknown = await response.json().catch(() => null);
	return typeof body === "object" && body !== null && "error" in body ? String(body.error) : "";
}

/** A server that takes the request and never answers must not hold the runner; the real one gives up after 100 s. */
const PATIENCE = 100_000;

async function bodyOf<T>(response: Response): Promise<T> {
	return (await response.json().catch((cause: unknown) => {
		throw new BrokerError("answer", response.status, "not JSON", { cause });
	})) as T;
}

async function ask(operation: string, url: string, init: RequestInit): Promise<Response> {
	const response = await fetch(url, init).catch((cause: unknown) => {
		throw new BrokerError(operation, 0, cause instanceof Error ? cause.message : "", { cause });
	});
	if (response.ok) return response;
	throw new BrokerError(operation, response.status, await codeOf(response));
}

async function fetchToken(registration: Registration): Promise<string> {
	const body = JSON.stringify({ client_id: registration.credentials.Data.ClientId, client_assertion: assertionOf(registration) });
	const headers = { "content-type": "application/json" };
	const response = await ask("token", registration.credentials.Data.AuthorizationUrl, { method: "POST", headers, body });
	return (await bodyOf<AccessToken>(response)).access_token;
}

/** Every call throws BrokerError for anything but success. */
export function createBroker(registration: Registration): Broker {
	const base = registration.settings.ServerUrlV2.replace(/\/*$/, "/");
	let token: string | null = null;
	const once = async (method: string, path: string, body: unknown, signal = AbortSignal.timeout(PATIENCE)) => {
		token ??= await fetchToken(registration);
		const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
		return await ask(path.replace(/\?.*/, ""), base + path, { method, headers, body: body && JSON.stringify(body), signal } as RequestInit);
	};
	const call = async (method: string, path: string, body?: unknown, signal?: AbortSignal) => {
		try {
			return await once(method, path, body, signal);
		} catch (error) {
			if (!(error instanceof BrokerError) || error.status !== 401) throw error;
			token = null;
			return await once(method, path, body, signal);
		}
	};
	const { AgentName } = registration.settings;
	return {
		async connect() {
			token = await fetchToken(registration);
		},
		openSession: async (version) => (await bodyOf<Session>(await call("POST", "session", { agentName: AgentName, version }))).sessionId,
		closeSession: async (sessionId) => void (await call("DELETE", `session?sessionId=${encodeURIComponent(sessionId)}`)),
		async nextMessage(sessionId, waitMs, signal) {
			const path = `message?sessionId=${encodeURIComponent(sessionId)}&waitSeconds=${Math.ceil(waitMs / 1000)}`;
			const response = await call("GET", path, undefined, signal);
			return response.status === 200 ? await bodyOf<BrokerMessage>(response) : null;
		},
		acquire: async (jobId) => await bodyOf<JobMessage>(await call("POST", "acquire", { jobId })),
		renew: async (jobId) => await bodyOf<Renewal>(await call("POST", "renew", { jobId })),
		log: async (jobId, lines) => void (await call("POST", "log", { jobId, lines })),
		complete: async (completion) => void (await call("POST", "complete", completion)),
	};
}
