// The edge to the mailbox: this machine's boot document is read and deleted there, its record left there (DESIGN 6). No credentials: the
// bucket policy goes by the address that the VPC endpoint saw.
import { createFetch, type FetchError } from "ofetch";
import type { Fetch } from "../aws/imds-reader.ts";
import { bootKey } from "../contract/boot.ts";

export interface Mailbox {
	/** The boot document's text; null while there is none. Throws MailboxError. */
	read(): Promise<string | null>;
	/** Throws MailboxError. */
	remove(): Promise<void>;
	/** Leaves a record where its URL says, in the bucket as this machine reaches it. Throws MailboxError. */
	leave(recordUrl: string, record: string | Uint8Array): Promise<void>;
	/** A file that lies in the bucket for all machines, by its URL. Throws MailboxError. */
	fetchPart(partUrl: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
}

/** An answer that is neither success nor "not yet". `status` 0 is no answer at all. */
export class MailboxError extends Error {
	override name = "MailboxError";
	constructor(operation: string, status: number, options?: ErrorOptions) {
		super(`mailbox ${operation}: ${status === 0 ? "no answer" : `status ${status}`}`, options);
	}
}

const TIMEOUT_MS = 5000;

/** The mailbox of one machine. `url` is the bucket's own, with keys as paths. */
export function createMailbox(url: string, identity: { privateIp: string; instanceId: string }, fetch: Fetch): Mailbox {
	const send = createFetch({ fetch, Headers, AbortController });
	const boot = `${url}/${bootKey(identity.privateIp, identity.instanceId)}`;
	const ask = async (method: "GET" | "DELETE" | "PUT", target: string, body?: string | Uint8Array<ArrayBuffer>) =>
		await send
			.raw(target, { method, body, responseType: "text", retry: 0, timeout: TIMEOUT_MS, ignoreResponseError: true })
			.catch((cause: FetchError) => {
				throw new MailboxError(method, 0, { cause });
			});
	return {
		async read() {
			const { status, _data } = await ask("GET", boot);
			if (status === 200) return _data ?? "";
			// Without the right to list, S3 answers 403 for a key that is not there.
			if (status === 403 || status === 404) return null;
			throw new MailboxError("GET", status);
		},
		async remove() {
			const { status } = await ask("DELETE", boot);
			if (status >= 300 && status !== 404) throw new MailboxError("DELETE", status);
		},
		async leave(recordUrl, record) {
			const body = typeof record === "string" ? record : new Uint8Array(record);
			const { status } = await ask("PUT", url + new URL(recordUrl).pathname, body);
			if (status >= 300) throw new MailboxError("PUT", status);
		},
		async fetchPart(partUrl, signal) {
			const { status, body } = await fetch(url + new URL(partUrl).pathname, { signal }).catch((cause) => {
				throw new MailboxError("GET of a part", 0, { cause });
			});
			if (status !== 200 || body === null) throw new MailboxError("GET of a part", status);
			return body;
		},
	};
}
