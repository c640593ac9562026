// Sends requests to GitHub as the App or as one of its installations, at most so many at a time. Touches the network.
import { createAppAuth } from "@octokit/auth-app";
import { request as octokit } from "@octokit/request";
import { GitHubError, retryMoment } from "./github-error.ts";
import { kept } from "./kept.ts";
import type { RepositoryRef, RunnerScope } from "./ports.ts";
import { createTurns } from "./turns.ts";

export interface GitHubOptions {
	apiUrl: string;
	appId: string;
	privateKey: string;
	now(): number;
	sleep(ms: number): Promise<void>;
	/** Told of the calls that GitHub still takes of an installation in this hour. */
	rateLeft(calls: number): void;
}
export type Params = Record<string, unknown>;
export interface Answer {
	data: unknown;
	headers: Record<string, unknown>;
}
/** Routes are octokit's: `GET /runs/{run_id}`; what the path does not name goes into the query or the body. */
export interface GitHubRequests {
	asApp(route: string, params?: Params): Promise<Answer>;
	asInstallation(installationId: number, route: string, params?: Params): Promise<Answer>;
	/** Below `/repos/{owner}/{repo}`. */
	inRepository(at: RepositoryRef, route: string, params?: Params): Promise<Answer>;
	/** As `inRepository`, with the tag of the answer before: an answer that is the same costs nothing of the hourly limit (FACTS 2.8). */
	unchanged(at: RepositoryRef, route: string, params?: Params): Promise<Answer>;
	/** Below the repository's organisation. */
	inOrganisation(at: RepositoryRef, route: string, params?: Params): Promise<Answer>;
	/** Below the runners of the organisation or the repository. */
	inScope(scope: RunnerScope, route: string, params?: Params): Promise<Answer>;
}

const AS_INSTALLATION = "token ";

/** What is left of the hourly limit that all REST calls of an installation share; null where an answer does not say (FACTS 2.8). */
function rateLeftOf(headers: Record<string, unknown> = {}): number | null {
	const isShared = (headers["x-ratelimit-resource"] ?? "core") === "core";
	const left = Number(headers["x-ratelimit-remaining"] ?? Number.NaN);
	return isShared && Number.isFinite(left) ? left : null;
}

const TIMEOUT_MS = 20_000;
/** GitHub allows 100 requests at a time for each App (FACTS 2.8). */
const CONCURRENT = 80;
const HICCUP_MS = 500;
const HEADERS = { "user-agent": "mayfly-poller", "x-github-api-version": "2022-11-28", accept: "application/vnd.github+json" };

/** A failure of GitHub's own in a call that may be made twice: mostly over at once, while the ledger would let the job wait for many seconds. */
function isHiccup(route: string, error: unknown): boolean {
	return !route.startsWith("POST") && error instanceof GitHubError && (error.status ?? 0) >= 500;
}

/**
 * Until when GitHub wants no calls: said to one, it holds for all of the same installation, or of the App itself. Whoever goes on asking
 * makes it longer (FACTS 2.8).
 */
function createHolds(now: () => number) {
	const until = new Map<string, number>();
	// The App's own token is another one every time.
	const holderOf = (authorization: string) => (authorization.startsWith(AS_INSTALLATION) ? authorization : "app");
	return {
		/** Throws what GitHub would say, without asking it. */
		check(route: string, authorization: string): void {
			const moment = until.get(holderOf(authorization)) ?? 0;
			if (now() < moment) throw new GitHubError(route, 429, "not asked, since GitHub wants no calls for now", moment);
		},
		/** The same error, remembered if it names a moment. */
		heard(error: GitHubError, authorization: string): GitHubError {
			const holder = holderOf(authorization);
			if (error.retryAt !== null) until.set(holder, Math.max(until.get(holder) ?? 0, error.retryAt));
			return error;
		},
	};
}

/** Requests of one session. Installation tokens are made once and kept (auth-app). Every failure is thrown as a GitHubError. */
export function createGitHubRequests(options: GitHubOptions): GitHubRequests {
	const base = octokit.defaults({ baseUrl: options.apiUrl, headers: HEADERS });
	// The base URL does not reach auth-app by itself (FACTS 8).
	const auth = createAppAuth({ appId: options.appId, privateKey: options.privateKey, request: base });
	const inTurn = createTurns(CONCURRENT);
	/** The App itself has a limit of its own, which nothing here comes near. */
	const tellRate = (authorization: string, headers?: Params) => {
		const left = authorization.startsWith(AS_INSTALLATION) ? rateLeftOf(headers) : null;
		if (left !== null) options.rateLeft(left);
	};
	const holds = createHolds(options.now);
	const once = (route: string, params: Params, token: () => Promise<string>): Promise<Answer> =>
		inTurn(async () => {
			let authorization = "";
			try {
				authorization = await token();
				holds.check(route, authorization);
				const signal = AbortSignal.timeout(TIMEOUT_MS);
				const { headers: more = {}, ...rest } = params as { headers?: Record<string, string> };
				const { data, headers } = await base(route, { ...rest, headers: { ...more, authorization }, request: { signal } });
				tellRate(authorization, headers);
				return { data, headers };
			} catch (error) {
				tellRate(authorization, (error as { response?: { headers?: Params } }).response?.headers);
				throw holds.heard(toGitHubError(route, error, options.now()), authorization);
			}
		});
	const send: typeof once = async (...request) => {
		try {
			return await once(...request);
		} catch (error) {
			if (!isHiccup(request[0], error)) throw error;
			await options.sleep(HICCUP_MS);
			return once(...request);
		}
	};
	const appToken = async () => `bearer ${(await auth({ type: "app" })).token}`;
	const installationOf = kept(
		(repository: string) => repository.toLowerCase(),
		async (repository) => {
			const { data } = await send("GET /repos/{owner}/{repo}/installation", namesOf(repository), appToken);
			return (data as { id: number }).id;
		},
	);
	const tokenOf = (at: RepositoryRef) => async () => {
		const installationId = at.installationId ?? (await installationOf(at.repository));
		return `${AS_INSTALLATION}${(await auth({ type: "installation", installationId })).token}`;
	};
	const inRepository: GitHubRequests["inRepository"] = (at, route, params) =>
		send(route.replace(" ", " /repos/{owner}/{repo}"), { ...namesOf(at.repository), ...params }, tokenOf(at));
	const tagged = new Map<string, Answer>();
	return {
		asApp: (route, params = {}) => send(route, params, appToken),
		asInstallation: (installationId, route, params = {}) => send(route, params, tokenOf({ repository: "", installationId })),
		inRepository,
		async unchanged(at, route, params) {
			const key = JSON.stringify([at.repository, route, params]);
			const before = tagged.get(key);
			const tag = before && { headers: { "if-none-match": String(before.headers.etag) } };
			const answer = await orStatus([304], inRepository(at, route, { ...params, ...tag }));
			if (typeof answer === "number") return before as Answer;
			if (answer.headers.etag) tagged.set(key, answer);
			return answer;
		},
		inOrganisation: (at, route, params) =>
			send(route.replace(" ", " /orgs/{org}"), { org: namesOf(at.repository).owner, ...params }, tokenOf(at)),
		inScope(scope, route, params) {
			const { owner, repo } = namesOf(scope.repository);
			const isOrg = scope.endpoint === "org";
			const root = isOrg ? " /orgs/{org}/actions/runners" : " /repos/{owner}/{repo}/actions/runners";
			return send(route.replace(" ", root), { ...(isOrg ? { org: owner } : { owner, repo }), ...params }, tokenOf(scope));
		},
	};
}

/** The answer, or the status where it is one of those that mean something to the caller. */
export async function orStatus(statuses: readonly number[], answer: Promise<Answer>): Promise<Answer | number> {
	try {
		return await answer;
	} catch (error) {
		const isExpected = error instanceof GitHubError && error.status !== null && error.retryAt === null && statuses.includes(error.status);
		if (isExpected) return error.status as number;
		throw error;
	}
}

function namesOf(repository: string): { owner: string; repo: string } {
	const [owner = "", repo = ""] = repository.split("/");
	return { owner, repo };
}

/** octokit throws what has a `status`; without a `response` nothing was answered. */
function toGitHubError(route: string, error: unknown, now: number): GitHubError {
	if (error instanceof GitHubError) return error;
	const { status = 0, response, message = "" } = error as { status?: number; response?: { headers?: Params }; message?: string };
	if (!response) return new GitHubError(route, null, message, null, error);
	return new GitHubError(route, status, message, retryMoment(status, response.headers ?? {}, message, now), error);
}
