// Who is calling: bearer tokens of the poller and the operator, and the report tokens of machines. Constant time throughout.
import { parseReportToken, reportTokenText } from "../contract/report.ts";
import { isMacOf } from "./hmac.ts";

const encoder = new TextEncoder();

/** The token of an `Authorization: Bearer` header, or null. */
export function bearerToken(header: string | undefined): string | null {
	return /^Bearer ([\x21-\x7e]{1,4096})$/i.exec(header ?? "")?.[1] ?? null;
}

async function digestOf(text: string): Promise<Uint8Array> {
	return new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
	let difference = a.length ^ b.length;
	for (let at = 0; at < a.length; at++) difference |= (a[at] as number) ^ (b[at] as number);
	return difference === 0;
}

/** Whether a token is one of those accepted. Digests are compared, so neither content nor length shows in the time it takes. */
export async function isOneOf(token: string | null, accepted: readonly string[]): Promise<boolean> {
	const given = await digestOf(token ?? "");
	const digests = await Promise.all(accepted.map(digestOf));
	return digests.filter((digest) => sameBytes(given, digest)).length > 0 && token !== null;
}

/** The machine a report token was made for, or null when the token is malformed, forged or past its expiry (unix seconds, DESIGN 3). */
export async function machineOfToken(token: string | null, keys: readonly string[], now: number): Promise<string | null> {
	const read = token === null ? null : parseReportToken(token);
	if (!read || read.expiry * 1000 <= now) return null;
	const isOurs = await isMacOf(read.mac, reportTokenText(read.instanceId, read.expiry), keys);
	return isOurs ? read.instanceId : null;
}
