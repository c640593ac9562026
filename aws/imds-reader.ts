// Documents of the instance metadata service, version 2: a token first (FACTS 4.5). Apart from their meaning (agent/imds.ts,
// gateway/imds.ts), so that the agent's first request is on its way before anything else of it is read.
import { createFetch, type FetchError } from "ofetch";

export type Fetch = typeof globalThis.fetch;

/** What IMDS did not answer as it should. `status` 0 is no answer at all. */
export class ImdsError extends Error {
	override name = "ImdsError";
	constructor(path: string, status: number, options?: ErrorOptions) {
		super(`IMDS ${path}: ${status === 0 ? "no answer" : `status ${status}`}`, options);
	}
}

/** The longest that IMDS grants, 6 h; a token that has ended is refused with 401 and asked for again. */
const TOKEN_SECONDS = "21600";
const TIMEOUT_MS = 2000;

export interface ImdsReader {
	/** Asks for the token that the first document will need. What comes of it is told then. */
	begin(): void;
	/** A document by its path below `<url>/latest`; null if there is none. Throws ImdsError. */
	read(path: string): Promise<string | null>;
}

/** Reads from the service at a URL without a path. */
export function createImdsReader(url: string, fetch: Fetch): ImdsReader {
	const send = createFetch({ fetch, Headers, AbortController });
	const ask = async (method: "GET" | "PUT", path: string, headers: Record<string, string>) =>
		await send
			.raw(`${url}/latest/${path}`, { method, headers, responseType: "text", retry: 0, timeout: TIMEOUT_MS, ignoreResponseError: true })
			.catch((cause: FetchError) => {
				throw new ImdsError(path, 0, { cause });
			});
	const newToken = async () => {
		const { status, _data } = await ask("PUT", "api/token", { "x-aws-ec2-metadata-token-ttl-seconds": TOKEN_SECONDS });
		if (status !== 200 || !_data) throw new ImdsError("api/token", status);
		return _data;
	};
	let token: Promise<string> | null = null;
	const tokenNow = async () => {
		token ??= newToken();
		return await token.catch((error: unknown) => {
			token = null;
			throw error;
		});
	};
	return {
		begin: () => void tokenNow().catch(() => undefined),
		async read(path) {
			for (const mayRenew of [true, false]) {
				const { status, _data } = await ask("GET", path, { "x-aws-ec2-metadata-token": await tokenNow() });
				if (status === 200) return _data ?? "";
				if (status === 404) return null;
				if (status !== 401 || !mayRenew) throw new ImdsError(path, status);
				token = null;
			}
			throw new ImdsError(path, 401);
		},
	};
}
