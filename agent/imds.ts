// The edge to the instance metadata service, version 2: a token first, then documents (FACTS 4.5).
import { createFetch, type FetchError } from "ofetch";
import * as v from "valibot";
import { InstanceId, type Parsed, parserOf, Text } from "../contract/parse.ts";

export type Fetch = typeof globalThis.fetch;

/** What IMDS did not answer as it should. `status` 0 is no answer at all. */
export class ImdsError extends Error {
	override name = "ImdsError";
	constructor(path: string, status: number, options?: ErrorOptions) {
		super(`IMDS ${path}: ${status === 0 ? "no answer" : `status ${status}`}`, options);
	}
}

const Identity = v.object({
	instanceId: InstanceId,
	privateIp: v.pipe(v.string(), v.ipv4()),
	region: Text,
	availabilityZone: Text,
	instanceType: Text,
	imageId: Text,
});
/** The part of the instance identity document that the agent needs. */
export type Identity = v.InferOutput<typeof Identity>;
const parseIdentity = parserOf(Identity);

const IDENTITY = "dynamic/instance-identity/document";
const LIFE_CYCLE = "meta-data/instance-life-cycle";
const INSTANCE_ACTION = "meta-data/spot/instance-action";
const REBALANCE = "meta-data/events/recommendations/rebalance";
/** The longest that IMDS grants, 6 h; a token that has ended is refused with 401 and asked for again. */
const TOKEN_SECONDS = "21600";
const TIMEOUT_MS = 2000;

export interface Imds {
	/** Throws ImdsError. */
	identity(): Promise<Parsed<Identity>>;
	/** Throws ImdsError. */
	isSpot(): Promise<boolean>;
	/** When EC2 takes the machine (epoch ms), null without a notice. Throws ImdsError. */
	terminateAt(): Promise<number | null>;
	/** When EC2 recommended to leave the machine, null without. Throws ImdsError. */
	rebalanceAt(): Promise<number | null>;
}

/** The moment in a document such as `{"action":"terminate","time":"2017-09-18T08:22:00Z"}`; null if it holds none. */
export function momentIn(document: string, field: string): number | null {
	const found = new RegExp(`"${field}"\\s*:\\s*"([^"]+)"`).exec(document)?.[1];
	const at = found === undefined ? Number.NaN : Date.parse(found);
	return Number.isNaN(at) ? null : at;
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}

/** Requests below `<url>/latest`; a missing document is null. */
function createReader(url: string, fetch: Fetch): (path: string) => Promise<string | null> {
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
	let token: string | null = null;
	return async (path) => {
		for (const mayRenew of [true, false]) {
			token ??= await newToken();
			const { status, _data } = await ask("GET", path, { "x-aws-ec2-metadata-token": token });
			if (status === 200) return _data ?? "";
			if (status === 404) return null;
			if (status !== 401 || !mayRenew) throw new ImdsError(path, status);
			token = null;
		}
		throw new ImdsError(path, 401);
	};
}

/** A client of the service at a URL without a path. */
export function createImds(url: string, fetch: Fetch, now: () => number): Imds {
	const read = createReader(url, fetch);
	return {
		identity: async () => parseIdentity(parseJson((await read(IDENTITY)) ?? "")),
		isSpot: async () => (await read(LIFE_CYCLE)) === "spot",
		async terminateAt() {
			const notice = await read(INSTANCE_ACTION);
			// A notice without a time that can be read is still one: it comes two minutes ahead.
			return notice === null ? null : (momentIn(notice, "time") ?? now() + 120_000);
		},
		async rebalanceAt() {
			const notice = await read(REBALANCE);
			return notice === null ? null : (momentIn(notice, "noticeTime") ?? now());
		},
	};
}
