// Asks a gateway's HAProxy whether it is there. Touches the network.
import type { Fetch } from "../aws/imds-reader.ts";
import { HEALTH_PATH, HEALTH_PORT } from "../egress/gateway.ts";

const TIMEOUT_MS = 1000;

/** A new connection each time: an old one says nothing about a new process. */
export async function answersAt(fetch: Fetch, address: string): Promise<boolean> {
	try {
		const signal = AbortSignal.timeout(TIMEOUT_MS);
		const answer = await fetch(`http://${address}:${HEALTH_PORT}${HEALTH_PATH}`, {
			signal,
			headers: { connection: "close" },
			keepalive: false,
		});
		await answer.arrayBuffer();
		return answer.status === 200;
	} catch {
		return false;
	}
}
