// The keys that sign the tokens of GitHub's jobs: a deploy machine gets them with its document (DESIGN 7). Touches the network.
import * as v from "valibot";
import { kept } from "./kept.ts";

export interface OidcKeys {
	/** As tokens name it. */
	issuer: string;
	/** The public keys (JWK). Throws an OidcError. */
	keys(): Promise<Record<string, unknown>[]>;
}

export class OidcError extends Error {
	override name = "OidcError";
}

const TIMEOUT_MS = 5_000;
/** What verifies an RS256 signature; whatever else an issuer publishes is left out. */
const KeySet = v.object({
	keys: v.pipe(
		v.array(v.looseObject({ kty: v.string(), kid: v.string() })),
		v.transform((keys) => keys.filter(({ kty }) => kty === "RSA")),
		v.minLength(1, "no RSA key"),
	),
});

/** Keys of an issuer, read once in a session: GitHub lets old and new ones overlap for longer than that. */
export function createOidcKeys(issuer: string, fetch: (url: string, init: RequestInit) => Promise<Response>): OidcKeys {
	const read = async () => {
		try {
			const answer = await fetch(`${issuer}/.well-known/jwks`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
			if (!answer.ok) throw new OidcError(`status ${answer.status}`);
			return v.parse(KeySet, await answer.json()).keys;
		} catch (error) {
			throw new OidcError(`the keys of ${issuer} could not be read: ${error instanceof Error ? error.message : String(error)}`);
		}
	};
	return { issuer, keys: kept(() => issuer, read) };
}
