// Installation tokens: made, bounded and looked up. Holds the tokens in memory.
import { randomBytes } from "node:crypto";
import type { Access, Account, Permissions, Repository } from "./world.ts";

/** Installation tokens live an hour (FACTS 2.2), milliseconds. */
const LIFE = 3_600_000;

export interface InstallationToken {
	token: string;
	account: Account;
	permissions: Permissions;
	/** Null is every repository of the installation. */
	repositoryIds: number[] | null;
	expiresAt: number;
}

export interface Tokens {
	issue(account: Account, permissions: Permissions, repositoryIds: number[] | null): InstallationToken;
	find(token: string): InstallationToken | null;
	/** Makes every token useless at once, as a suspended installation does. */
	revokeAll(): void;
}

/** The form in use since April 2026: `ghs_<app id>_<JWT>`, about 520 characters (FACTS 2.2). Its signature is random: only we read it. */
function tokenText(appId: number, account: Account, expiresAt: number): string {
	const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
	const claims = {
		iss: "github",
		sub: String(account.installationId),
		exp: Math.floor(expiresAt / 1000),
		jti: randomBytes(12).toString("hex"),
	};
	return `ghs_${appId}_${encode({ alg: "RS256", typ: "JWT" })}.${encode(claims)}.${randomBytes(256).toString("base64url")}`;
}

export function createTokens(appId: number, now: () => number): Tokens {
	const tokens = new Map<string, InstallationToken>();
	return {
		issue(account, permissions, repositoryIds) {
			const expiresAt = now() + LIFE;
			const issued = { token: tokenText(appId, account, expiresAt), account, permissions, repositoryIds, expiresAt };
			tokens.set(issued.token, issued);
			return issued;
		},
		find(token) {
			const found = tokens.get(token);
			return found && found.expiresAt > now() ? found : null;
		},
		revokeAll: () => tokens.clear(),
	};
}

export function permits(granted: Permissions, permission: string, access: Access): boolean {
	const held = granted[permission];
	return held === "write" || (held === "read" && access === "read");
}

/** Whether the token sees the repository at all. What it does not see answers 404. */
export function reaches(token: InstallationToken, repository: Repository): boolean {
	return (
		repository.installed &&
		repository.owner.id === token.account.id &&
		(token.repositoryIds === null || token.repositoryIds.includes(repository.id))
	);
}
