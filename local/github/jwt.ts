// JSON web tokens signed with RS256: made and read. Pure but for the signature's own CPU.
import { type KeyObject, sign, verify } from "node:crypto";

export type Claims = Record<string, unknown>;

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

export function signJwt(claims: Claims, key: KeyObject, header: Record<string, string> = {}): string {
	const text = `${encode({ alg: "RS256", typ: "JWT", ...header })}.${encode(claims)}`;
	return `${text}.${sign("RSA-SHA256", Buffer.from(text), key).toString("base64url")}`;
}

/** The claims, or null when the token is not one, is signed by another algorithm, or not by this key. Times are for the caller to judge. */
export function readJwt(token: string, key: KeyObject): Claims | null {
	const [header, payload, signature, ...more] = token.split(".");
	if (!header || !payload || !signature || more.length > 0) return null;
	try {
		const { alg } = JSON.parse(Buffer.from(header, "base64url").toString()) as { alg?: unknown };
		if (alg !== "RS256") return null;
		if (!verify("RSA-SHA256", Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, "base64url"))) return null;
		const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString());
		return typeof claims === "object" && claims !== null ? (claims as Claims) : null;
	} catch {
		return null;
	}
}
