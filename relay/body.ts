// Reads a request's body up to a cap. The cap is enforced on the bytes that arrive, since a Content-Length may lie or be absent.

export type Body = { ok: true; text: string } | { ok: false; status: 400 | 413; reason: string };

async function bytesUpTo(stream: ReadableStream<Uint8Array>, cap: number): Promise<Uint8Array[] | null> {
	const reader = stream.getReader();
	const chunks: Uint8Array[] = [];
	let length = 0;
	for (;;) {
		const { done, value } = await reader.read();
		if (done) return chunks;
		length += value.byteLength;
		if (length > cap) {
			await reader.cancel().catch(() => undefined);
			return null;
		}
		chunks.push(value);
	}
}

/** The chunks as text that encodes back to exactly these bytes: a signature is checked on it. Throws on what is not UTF-8. */
function decode(chunks: Uint8Array[]): string {
	const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
	if (chunks.length === 1) return decoder.decode(chunks[0]);
	return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
}

/** Reads at most `cap` bytes of UTF-8 text; a longer body is cut off at the cap and refused. */
export async function readBody(request: Request, cap: number): Promise<Body> {
	const tooLong: Body = { ok: false, status: 413, reason: `the body is longer than ${cap} bytes` };
	if (Number(request.headers.get("content-length") ?? 0) > cap) return tooLong;
	if (!request.body) return { ok: true, text: "" };
	let chunks: Uint8Array[] | null;
	try {
		// A length that was announced is one that HTTP holds the sender to: the body can be read in one go.
		chunks = request.headers.has("content-length") ? [new Uint8Array(await request.arrayBuffer())] : await bytesUpTo(request.body, cap);
	} catch {
		return { ok: false, status: 400, reason: "the body broke off" };
	}
	if (!chunks) return tooLong;
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
