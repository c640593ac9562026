// The shape of a REST route: GitHub's own path template, who may call it, and what it answers.
import type { Answer } from "./answer.ts";
import type { InstallationToken } from "./tokens.ts";
import type { Access, Account, Repository } from "./world.ts";

export interface Call {
	params: Record<string, string>;
	/** A path parameter as a number; NaN finds nothing. */
	id(name: string): number;
	query: URLSearchParams;
	/** The whole address as it was asked. */
	url: string;
	body: unknown;
}

/** A call with an installation token that reaches what the path names. */
export interface InstallationCall extends Call {
	token: InstallationToken;
	/** The `{org}` or the owner of `{owner}/{repo}`. */
	account: Account;
	/** Null on a path of an organisation. */
	repository: Repository | null;
}

interface AppRoute {
	method: "GET" | "POST" | "DELETE";
	path: string;
	access: "app" | "public";
	answer(call: Call): Answer | Promise<Answer>;
}

interface InstallationRoute {
	method: "GET" | "POST" | "DELETE";
	path: string;
	access: { permission: string; level: Access };
	answer(call: InstallationCall): Answer | Promise<Answer>;
}

/** `app` asks for the App's JWT, `public` for the token of any installation; any other for an installation token with the permission. */
export type Route = AppRoute | InstallationRoute;
