// Whether a JWT speaks for the App, by GitHub's rules and in its words (FACTS 2.2). Pure.
import type { KeyObject } from "node:crypto";
import { type Answer, refusal } from "./answer.ts";
import { readJwt } from "./jwt.ts";
import type { World } from "./world.ts";

/** GitHub's clock and the caller's may differ by this much, seconds. */
const SKEW = 60;
/** An App's JWT lives at most this long, seconds. */
const LONGEST = 600;

/** Null when the token is the App's; else the 401 that GitHub would give. `now` is in milliseconds. */
export function refuseAppJwt(token: string, world: World, key: KeyObject, now: number): Answer | null {
	const claims = readJwt(token, key);
	if (!claims) return refusal(401, "A JSON web token could not be decoded");
	const seconds = now / 1000;
	const { iss, iat, exp } = claims;
	if (typeof exp !== "number" || exp <= seconds)
		return refusal(
			401,
			"'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
		);
	if (exp > seconds + LONGEST) return refusal(401, "'Expiration time' claim ('exp') is too far in the future");
	if (typeof iat !== "number" || !Number.isInteger(iat) || iat > seconds + SKEW)
		return refusal(401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued");
	if (String(iss) !== String(world.appId) && iss !== world.clientId) return refusal(401, "'Issuer' claim ('iss') must be the App's id");
	return null;
}
