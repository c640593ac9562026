// The mailbox bucket as the poller uses it: boot documents in, the config out. Touches S3.
import { type AwsAccess, AwsError, sendSigned } from "../aws/request.ts";
import type { Mailbox } from "./ports.ts";

export interface MailboxClient extends Mailbox {
	get(key: string): Promise<string>;
}

const TRIES = 4;
const FIRST_PAUSE_MS = 100;

/** A client of the bucket at this URL. A failed request is repeated: each of them may be made twice. Throws AwsError. */
export function createMailbox(access: AwsAccess, bucketUrl: string, sleep: (ms: number) => Promise<void>): MailboxClient {
	const once = async (method: string, key: string, expected: readonly number[], body?: string): Promise<Response> => {
		const headers = body === undefined ? undefined : { "content-type": "application/json" };
		const answer = await sendSigned(access, "s3", { method, url: `${bucketUrl}/${key}`, headers, body });
		if (expected.includes(answer.status)) return answer;
		throw new AwsError(`${method} ${key}`, answer.status, await answer.text());
	};
	const send = async (...request: Parameters<typeof once>): Promise<Response> => {
		for (let tried = 1; ; tried++) {
			try {
				return await once(...request);
			} catch (error) {
				if (!(error instanceof AwsError && error.retryable) || tried === TRIES) throw error;
				await sleep(FIRST_PAUSE_MS * 2 ** tried);
			}
		}
	};
	return {
		async get(key) {
			return (await send("GET", key, [200])).text();
		},
		async put(key, body) {
			await (await send("PUT", key, [200], body)).text();
		},
		/** Without the right to list, a missing key answers 403 (DESIGN 6). */
		async has(key) {
			const answer = await send("GET", key, [200, 403, 404]);
			await answer.text();
			return answer.status === 200;
		},
	};
}
