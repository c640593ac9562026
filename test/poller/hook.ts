// GitHub as far as an App's deliveries go: it lists them newest first and sends them again, on a clock that tests move.
import { generateKeyPairSync } from "node:crypto";
import { createGitHub } from "../../poller/github.ts";
import { paced } from "../../poller/points.ts";
import type { GitHub } from "../../poller/ports.ts";

export interface Hook {
	/** Whether the relay takes what is sent to it. */
	takes: boolean;
	/** Deliveries that were tried at this moment, one after the other. */
	deliver(...guids: string[]): void;
	/** Every request, with the moment of the clock. */
	asked: { at: number; request: string }[];
	/** Guids in the order in which they were sent again. */
	again: string[];
	/** The poller's own client, as a session that begins now has it. */
	session(endsAt: number): GitHub;
	stop(): Promise<void>;
}

const PAGE = 100;
const { privateKey } = generateKeyPairSync("rsa", {
	...{ modulusLength: 2048, privateKeyEncoding: { type: "pkcs1", format: "pem" } },
	publicKeyEncoding: { type: "spki", format: "pem" },
});

export function startHook(clock: { (): number; pass(ms: number): void }): Hook {
	const entries: { id: number; guid: string; at: number; status: number }[] = [];
	const hook: Hook = {
		...{ takes: true, asked: [], again: [] },
		deliver(...guids) {
			for (const guid of guids) entries.push({ id: entries.length + 1, guid, at: clock(), status: hook.takes ? 202 : 503 });
		},
		session(endsAt) {
			const now = clock;
			const sleep = async (ms: number) => clock.pass(ms);
			const client = createGitHub({ apiUrl: server.url.origin, appId: "1", privateKey, now, sleep, rateLeft: () => undefined });
			return paced(client, { now, sleep, begunAt: now(), endsAt });
		},
		stop: () => server.stop(true),
	};
	function list(before: number, url: URL): Response {
		const listed = entries.slice(Math.max(0, before - PAGE), before).toReversed();
		const shown = listed.map(({ id, guid, at, status }) => {
			return { id, guid, delivered_at: new Date(at).toISOString(), status_code: status, event: "workflow_job" };
		});
		const link = `<${url.origin}/app/hook/deliveries?per_page=${PAGE}&cursor=v1_${before - PAGE}>; rel="next"`;
		return Response.json(shown, { headers: before > PAGE ? { link } : {} });
	}
	const server = Bun.serve({
		...{ hostname: "127.0.0.1", port: 0 },
		fetch(request) {
			const url = new URL(request.url);
			if (url.pathname.endsWith("/access_tokens"))
				return Response.json({ token: "ghs_x", expires_at: "2099-01-01T00:00:00Z", permissions: {} }, { status: 201 });
			hook.asked.push({ at: clock(), request: `${request.method} ${url.pathname.replaceAll(/[0-9]+/g, "#")}` });
			const again = /deliveries\/([0-9]+)\/attempts$/.exec(url.pathname)?.[1];
			if (again) {
				const { guid = "" } = entries[Number(again) - 1] ?? {};
				hook.again.push(guid);
				hook.deliver(guid);
				return Response.json({}, { status: 202 });
			}
			if (url.pathname !== "/app/hook/deliveries") return Response.json({}, { status: 404 });
			return list(Number(/^v1_(\d+)$/.exec(url.searchParams.get("cursor") ?? "")?.[1] ?? entries.length), url);
		},
	});
	return hook;
}
