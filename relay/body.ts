// Reads a request's body: up to a cap, within a time, as it is. The cap is enforced on the bytes that arrive, since a length that was
// announced may be absent.

export type Body = { ok: true; text: string } | { ok: false; status: 400 | 408 | 413 | 415; reason: string };

export interface BodyLimits {
	/** Bytes. */
	cap: number;
	/** Milliseconds from the headers to the last byte. */
	within: number;
}

const SLOW = Symbol("slow");
const LONG = Symbol("long");

/** The chunks of a body of unknown length, or LONG as soon as there are more bytes than the cap. */
async function bytesUpTo(reader: ReadableStreamDefaultReader<Uint8Array>, cap: number): Promise<Uint8Array[] | typeof LONG> {
	const chunks: Uint8Array[] = [];
	let length = 0;
	for (;;) {
		const { done, value } = await reader.read();
		if (done) return chunks;
		length += value.byteLength;
		if (length > cap) return LONG;
		chunks.push(value);
	}
}

/** The chunks as text that encodes back to exactly these bytes: a signature is checked on it. Throws on what is not UTF-8. */
function decode(chunks: Uint8Array[]): string {
	const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
	if (chunks.length === 1) return decoder.decode(chunks[0]);
	return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
}

/** What comes first: the value or the end of the time. */
async function inTime<T>(value: Promise<T>, milliseconds: number): Promise<T | typeof SLOW> {
	const { promise: over, resolve } = Promise.withResolvers<typeof SLOW>();
	const timer = setTimeout(() => resolve(SLOW), milliseconds);
	try {
		return await Promise.race([value, over]);
	} finally {
		clearTimeout(timer);
	}
}

async function readBytes(request: Request, stream: ReadableStream<Uint8Array>, limits: BodyLimits): Promise<Uint8Array[] | symbol> {
	// HTTP holds the sender to a length that was announced, so such a body can be read in one go, at half the cost.
	if (request.headers.has("content-length")) {
		const bytes = await inTime(request.arrayBuffer(), limits.within);
		return bytes === SLOW ? SLOW : [new Uint8Array(bytes)];
	}
	const reader = stream.getReader();
	const chunks = await inTime(bytesUpTo(reader, limits.cap), limits.within);
	// The rest of the body is not waited for.
	if (typeof chunks === "symbol") reader.cancel().catch(() => undefined);
	return chunks;
}

/** Reads at most `cap` bytes of UTF-8 text within the time. A compressed body is not read at all: what it unpacks to cannot be capped. */
export async function readBody(request: Request, limits: BodyLimits): Promise<Body> {
	const encoding = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "";
	if (encoding !== "" && encoding !== "identity")
		return { ok: false, status: 415, reason: "a body is sent as it is, without Content-Encoding" };
	const tooLong: Body = { ok: false, status: 413, reason: `the body is longer than ${limits.cap} bytes` };
	if (Number(request.headers.get("content-length") ?? 0) > limits.cap) return tooLong;
	if (!request.body) return { ok: true, text: "" };
	let chunks: Uint8Array[] | symbol;
	try {
		chunks = await readBytes(request, request.body, limits);
	} catch {
		return { ok: false, status: 400, reason: "the body broke off" };
	}
	if (chunks === LONG) return tooLong;
	if (typeof chunks === "symbol") return { ok: false, status: 408, reason: `the body took longer than ${limits.within} ms` };
	try {
		return { ok: true, text: decode(chunks) };
	} catch {
		return { ok: false, status: 400, reason: "the body is not UTF-8" };
	}
}

/** JSON text as a value, or undefined, which JSON cannot say. */
export function readJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
