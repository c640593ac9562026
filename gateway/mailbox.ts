// The mailbox bucket as a gateway uses it: one object is read, without credentials, through the VPC's endpoint (DESIGN 6). Touches S3.
import type { Fetch } from "../aws/imds-reader.ts";
import { EGRESS_KEY } from "../contract/egress.ts";
import type { Fetched } from "./sync.ts";

const TIMEOUT_MS = 10_000;

/** Asks for the lists, unless they are still those of the tag. */
export async function fetchLists(fetch: Fetch, mailboxUrl: string, etag: string | null): Promise<Fetched> {
	try {
		const headers: Record<string, string> = etag === null ? {} : { "if-none-match": etag };
		const answer = await fetch(`${mailboxUrl}/${EGRESS_KEY}`, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
		const text = await answer.text();
		if (answer.status === 304) return { kind: "same" };
		if (answer.status === 200) return { kind: "document", text, etag: answer.headers.get("etag") };
		return answer.status === 403 || answer.status === 404 ? { kind: "none" } : { kind: "failed", reason: `status ${answer.status}` };
	} catch (error) {
		return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
	}
}
