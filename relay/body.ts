// Reads a request's body: up to a cap, within a time, as bytes, which is what a signature is made of.

export type Body = { ok: true; bytes: Uint8Array<ArrayBuffer> } | { ok: false; status: 400 | 408 | 413 | 415; reason: string };

export interface BodyLimits {
	/** Bytes. */
	cap: number;
	/** Milliseconds from the headers to the last byte. */
	within: number;
}

const SLOW = "slow";
const LONG = "long";

/** A body of unknown length, or LONG as soon as there are more bytes than the cap. Copied as it comes: a million tiny pieces must not be kept. */
async function bytesUpTo(reader: ReadableStreamDefaultReader<Uint8Array>, cap: number): Promise<Uint8Array<ArrayBuffer> | typeof LONG> {
	let bytes = new Uint8Array(Math.min(cap, 16 * 1024));
	let length = 0;
	for (;;) {
		const { done, value } = await reader.read();
		if (done) return bytes.subarray(0, length);
		const next = length + value.byteLength;
		if (next > cap) return LONG;
		if (next > bytes.length) bytes = new Uint8Array(bytes.buffer.transfer(Math.min(cap, 2 * next)));
		bytes.set(value, length);
		length = next;
	}
}

/** The value, or SLOW if it takes longer. */
function inTime<T>(value: Promise<T>, milliseconds: number): Promise<T | typeof SLOW> {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => resolve(SLOW), milliseconds);
		const settle = <V>(end: (it: V) => void) =>
			function ended(it: V): void {
				clearTimeout(timer);
				end(it);
			};
		value.then(settle(resolve), settle(reject));
	});
}

/** HTTP holds the sender to a length that was announced, so such a body is read in one go, at half the cost. */
async function readAnnounced(request: Request, within: number): Promise<Uint8Array<ArrayBuffer> | typeof SLOW> {
	const buffer = await inTime(request.arrayBuffer(), within);
	return buffer === SLOW ? SLOW : new Uint8Array(buffer);
}

async function readStreamed({ body }: Request, { cap, within }: BodyLimits): Promise<Uint8Array<ArrayBuffer> | typeof SLOW | typeof LONG> {
	if (!body) return new Uint8Array();
	const reader = body.getReader();
	const bytes = await inTime(bytesUpTo(reader, cap), within);
	// The rest of the body is not waited for.
	if (bytes === LONG || bytes === SLOW) reader.cancel().catch(() => undefined);
	return bytes;
}

/** Reads at most `cap` bytes within the time. A compressed body is not read at all: what it unpacks to cannot be capped. */
export async function readBody(request: Request, limits: BodyLimits): Promise<Body> {
	const encoding = request.headers.get("content-encoding");
	if (encoding && encoding.trim().toLowerCase() !== "identity")
		return { ok: false, status: 415, reason: "a body is sent as it is, without Content-Encoding" };
	const tooLong: Body = { ok: false, status: 413, reason: `the body is longer than ${limits.cap} bytes` };
	const length = request.headers.get("content-length");
	if (Number(length ?? 0) > limits.cap) return tooLong;
	try {
		const bytes = length === null ? await readStreamed(request, limits) : await readAnnounced(request, limits.within);
		if (bytes === LONG) return tooLong;
		if (bytes === SLOW) return { ok: false, status: 408, reason: `the body took longer than ${limits.within} ms` };
		return { ok: true, bytes };
	} catch {
		return { ok: false, status: 400, reason: "the body broke off" };
	}
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** JSON in UTF-8 as a value, or undefined, which JSON cannot say. */
export function readJson(bytes: Uint8Array): unknown {
	try {
		return JSON.parse(utf8.decode(bytes));
	} catch {
		return undefined;
	}
}
