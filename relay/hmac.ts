// HMAC-SHA256 over bytes, checked in constant time by the runtime. A key is imported once: importing it for each request cost more than the
// check itself (docs/benchmarks.md).

const encoder = new TextEncoder();
/** As many as there are secrets. */
const imported = new Map<string, CryptoKey>();

async function keyOf(secret: string): Promise<CryptoKey> {
	const known = imported.get(secret);
	if (known) return known;
	const algorithm = { name: "HMAC", hash: "SHA-256" };
	const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["verify"]);
	imported.set(secret, key);
	return key;
}

function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(hex.length / 2);
	for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16);
	return bytes;
}

/** Whether `mac`, 64 hex digits, was made of the message with one of the secrets: the current one, or the previous while it is rotated. */
export async function isMacOf(mac: string, message: Uint8Array<ArrayBuffer> | string, secrets: readonly string[]): Promise<boolean> {
	if (!/^[0-9a-f]{64}$/i.test(mac)) return false;
	const given = bytesOf(mac);
	const bytes = typeof message === "string" ? encoder.encode(message) : message;
	for (const secret of secrets) if (await crypto.subtle.verify("HMAC", await keyOf(secret), given, bytes)) return true;
	return false;
}
