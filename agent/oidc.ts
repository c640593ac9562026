// Checks a job's OIDC token with the keys of the boot document: what deploy machines believe instead of the runner's word (DESIGN 7).
// Nothing is fetched: the issuer's keys came with the machine's own document. Pure, but for the runtime's signature check.
import * as v from "valibot";
import type { Grant } from "../contract/rule.ts";

/** What of GitHub's claims a decision needs (docs.github.com, "OpenID Connect reference"). Times are unix seconds. */
const Claims = v.object({
	iss: v.string(),
	aud: v.string(),
	exp: v.number(),
	nbf: v.optional(v.number()),
	iat: v.number(),
	ref: v.string(),
	repository: v.string(),
	repository_id: v.string(),
	event_name: v.string(),
	actor: v.string(),
	workflow_ref: v.string(),
	job_workflow_ref: v.string(),
	environment: v.optional(v.string()),
});
export type Claims = v.InferOutput<typeof Claims>;
export type ReadToken = { ok: true; claims: Claims } | { ok: false; reason: string };

const Header = v.object({ alg: v.literal("RS256", "it is not signed with RS256"), kid: v.string() });
const Key = v.object({ kty: v.literal("RSA"), kid: v.string(), n: v.string(), e: v.string() });
/** The hook sends the issuer's answer as it is. */
const Answer = v.object({ value: v.string() });

/** Clocks of GitHub and of this machine may differ by so much. */
const SKEW_SECONDS = 60;
const BASE64URL = /^[A-Za-z0-9_-]+$/;
const RS256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

const refused = (reason: string): ReadToken => ({ ok: false, reason });

function jsonOf(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

const decoded = (part: string) => jsonOf(Buffer.from(part, "base64url").toString("utf8"));

/** The key that the header names, and no other; a key set that names it twice names none. */
function keyOf(keys: readonly unknown[], kid: string): v.InferOutput<typeof Key> | null {
	const named = keys.filter((key) => v.is(Key, key)).filter((key) => key.kid === kid);
	return named.length === 1 ? (named[0] ?? null) : null;
}

async function isSigned(text: string, signature: string, { kty, n, e }: v.InferOutput<typeof Key>): Promise<boolean> {
	try {
		const key = await crypto.subtle.importKey("jwk", { kty, n, e }, RS256, false, ["verify"]);
		return await crypto.subtle.verify(RS256.name, key, Buffer.from(signature, "base64url"), Buffer.from(text));
	} catch {
		return false;
	}
}

/** Why the claims are not of a token for this machine, now; null if they are. Pure. `since` and `now` in epoch ms. */
function whyNot(claims: Claims, oidc: NonNullable<Grant["oidc"]>, since: number, now: number): string | null {
	const seconds = now / 1000;
	if (claims.iss !== oidc.issuer) return `it is of the issuer ${claims.iss}`;
	if (claims.aud !== oidc.audience) return `it is for ${claims.aud}, not for this machine`;
	if (claims.exp <= seconds - SKEW_SECONDS) return "it has expired";
	if ((claims.nbf ?? 0) > seconds + SKEW_SECONDS || claims.iat > seconds + SKEW_SECONDS) return "it is not valid yet";
	if (claims.iat < since / 1000 - SKEW_SECONDS) return "it is older than this machine's job";
	return null;
}

/**
 * Reads the issuer's answer as the hook got it: the claims of a token that is signed by a key of the document, for this machine, and no
 * older than its claim at `since` (epoch ms); or what is wrong with it.
 */
export async function readToken(answer: string | null, oidc: NonNullable<Grant["oidc"]>, since: number, now: number): Promise<ReadToken> {
	const given = v.safeParse(Answer, jsonOf(answer ?? ""));
	if (!given.success) return refused("the job brought no OIDC token");
	const [header = "", payload = "", signature = "", ...more] = given.output.value.split(".");
	if (more.length > 0 || ![header, payload, signature].every((part) => BASE64URL.test(part))) return refused("its OIDC token is not one");
	const head = v.safeParse(Header, decoded(header));
	if (!head.success) return refused(`its OIDC token cannot be checked: ${head.issues[0].message}`);
	const key = keyOf(oidc.keys, head.output.kid);
	if (key === null) return refused("its OIDC token is signed with a key that is not the issuer's");
	if (!(await isSigned(`${header}.${payload}`, signature, key))) return refused("the signature of its OIDC token is wrong");
	const claims = v.safeParse(Claims, decoded(payload));
	if (!claims.success) return refused(`its OIDC token lacks ${v.getDotPath(claims.issues[0]) ?? "claims"}`);
	const reason = whyNot(claims.output, oidc, since, now);
	return reason === null ? { ok: true, claims: claims.output } : refused(`its OIDC token was refused: ${reason}`);
}
