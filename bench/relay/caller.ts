// The relay as GitHub and a poller call it, one kept connection each, as fast as one after the other goes.
import type { LeaseAnswer } from "../../contract/lease.ts";
import type { Outcome } from "../../contract/settle.ts";
import { bodyOf, headersOf, SECRETS } from "./deliveries.ts";

let requests = 0;

export function callerOf(url: string) {
	async function post(path: string, body: string, headers: Record<string, string>, expected: number): Promise<Response> {
		const said = await fetch(`${url}${path}`, { method: "POST", body, headers });
		if (said.status !== expected) throw new Error(`${path}: ${said.status} ${await said.text()}`);
		return said;
	}
	const poller = { authorization: `Bearer ${SECRETS.POLLER_TOKEN}` };
	return {
		async webhook(id: number, action = "queued", more: Record<string, unknown> = {}): Promise<void> {
			const body = bodyOf(id, action, more);
			await (await post("/webhook", body, headersOf(body, `${action}-${id}`), 202)).arrayBuffer();
		},
		async lease(max: number, waitSeconds: number): Promise<LeaseAnswer> {
			const asked = { session: "bench", requestId: `bench-${++requests}`, max, waitSeconds };
			return (await (await post("/lease", JSON.stringify(asked), poller, 200)).json()) as LeaseAnswer;
		},
		async settle(results: Outcome[]): Promise<void> {
			const said = await (await post("/settle", JSON.stringify({ results }), poller, 200)).json();
			const { stale } = said as { stale: object };
			if (Object.keys(stale).length > 0) throw new Error(`stale: ${JSON.stringify(stale)}`);
		},
	};
}
export type Caller = ReturnType<typeof callerOf>;

/** A settle that names the machine a job got. */
export function launchedOn(workId: string, leaseId: string, id: number): Outcome {
	const instanceId = `i-${id.toString(16).padStart(17, "0")}`;
	const machine = { instanceId, runnerName: `mayfly-${instanceId}-1`, privateIp: "10.0.0.4", type: "m8g.large", zone: "eu-west-1a" };
	return { workId, leaseId, outcome: "launched", market: "spot", ...machine };
}
