// Sends the signed webhooks, one job's in order, and records each delivery. Never tries again by itself, as GitHub (FACTS 2.6).
import { createHmac, randomUUID } from "node:crypto";
import type { Deliveries, Delivery } from "./deliveries.ts";
import type { Faults } from "./faults.ts";
import type { World } from "./world.ts";

/** GitHub waits this long for an answer, milliseconds. */
const TIMEOUT = 10_000;

export interface WebhookTarget {
	url: string;
	secret: string;
}

export interface Event {
	event: string;
	action: string;
	jobId: number;
	jobName: string;
	installationId: number;
	repositoryId: number;
	payload: object;
}

export interface Webhooks {
	send(event: Event): void;
	/** The same delivery again: same GUID, same body, signed anew. */
	redeliver(delivery: Delivery): void;
	setTarget(target: WebhookTarget | null): void;
	/** When nothing is on its way any more. */
	settled(): Promise<void>;
	stop(): void;
}

type Response = Pick<Delivery, "status" | "statusCode" | "responseHeaders" | "responseBody">;

function headersOf(body: string, secret: string, event: string, guid: string, world: World): Record<string, string> {
	const hmac = (algorithm: string) => createHmac(algorithm, secret).update(body).digest("hex");
	return {
		accept: "*/*",
		"content-type": "application/json",
		"user-agent": "GitHub-Hookshot/f1e2d3c",
		"x-github-delivery": guid,
		"x-github-event": event,
		"x-github-hook-id": "480123456",
		"x-github-hook-installation-target-id": String(world.appId),
		"x-github-hook-installation-target-type": "integration",
		"x-hub-signature": `sha1=${hmac("sha1")}`,
		"x-hub-signature-256": `sha256=${hmac("sha256")}`,
	};
}

async function post(url: string, headers: Record<string, string>, body: string, stopping: AbortSignal): Promise<Response> {
	try {
		const signal = AbortSignal.any([AbortSignal.timeout(TIMEOUT), stopping]);
		const response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
		const status = response.ok ? "OK" : `Invalid HTTP Response: ${response.status}`;
		const responseHeaders = Object.fromEntries(response.headers);
		return { status, statusCode: response.status, responseHeaders, responseBody: await response.text() };
	} catch (error) {
		const timedOut = (error as Error).name === "TimeoutError";
		const status = timedOut ? "timed out" : "failed to connect to host";
		return { status, statusCode: timedOut ? 504 : 502, responseHeaders: {}, responseBody: null };
	}
}

export interface WebhookPorts {
	world: World;
	deliveries: Deliveries;
	faults: Faults;
	target: WebhookTarget | null;
	now: () => number;
}

export function createWebhooks({ world, deliveries, faults, target: firstTarget, now }: WebhookPorts): Webhooks {
	const stopping = new AbortController();
	const underWay = new Set<Promise<void>>();
	/** The last delivery of each job: the next one waits for it. */
	const lanes = new Map<number, Promise<void>>();
	/** Held back until the job's next one went out. */
	const held = new Map<number, () => void>();
	let target = firstTarget;

	function track(work: Promise<void>): Promise<void> {
		underWay.add(work);
		return work.finally(() => underWay.delete(work));
	}

	async function deliver(
		event: Event,
		body: string,
		guid: string,
		options: { redelivery?: boolean; refuse?: boolean } = {},
	): Promise<void> {
		if (!target || stopping.signal.aborted) return;
		const at = now();
		const requestHeaders = headersOf(body, target.secret, event.event, guid, world);
		const { url } = target;
		const unsent: Response = { status: "failed to connect to host", statusCode: 502, responseHeaders: {}, responseBody: null };
		const response = options.refuse ? unsent : await post(url, requestHeaders, body, stopping.signal);
		if (stopping.signal.aborted) return;
		const { action, jobId, installationId, repositoryId } = event;
		deliveries.record({
			...{ guid, at, redelivery: options.redelivery ?? false, duration: (now() - at) / 1000, ...response },
			...{ event: event.event, action, jobId, installationId, repositoryId, url, requestHeaders, body },
		});
	}

	/** Puts a delivery behind the job's earlier ones. */
	function enqueue(jobId: number, work: () => Promise<void>): void {
		const lane = track((lanes.get(jobId) ?? Promise.resolve()).then(work));
		lanes.set(jobId, lane);
	}

	function release(jobId: number): void {
		const late = held.get(jobId);
		held.delete(jobId);
		late?.();
	}

	async function later(ms: number): Promise<void> {
		const { promise, resolve } = Promise.withResolvers<void>();
		const timer = setTimeout(resolve, ms);
		stopping.signal.addEventListener("abort", () => resolve(), { once: true });
		await promise;
		clearTimeout(timer);
	}

	return {
		send(event) {
			const { jobId } = event;
			const guid = randomUUID();
			const body = JSON.stringify(event.payload);
			const go = (refuse = false) => enqueue(jobId, () => deliver(event, body, guid, { refuse }));
			const fault = faults.takeWebhook(event);
			if (fault?.kind === "lose") return;
			if (fault?.kind === "reorder") return void held.set(jobId, go);
			if (fault?.kind === "delay") return void track(later(fault.delayMs ?? 1000).then(() => deliver(event, body, guid)));
			go(fault?.kind === "fail");
			if (fault?.kind === "duplicate") go();
			release(jobId);
		},
		redeliver({ event, action, jobId, installationId, repositoryId, body, guid }) {
			const again: Event = { event, action, jobId, jobName: "", installationId, repositoryId, payload: {} };
			track(deliver(again, body, guid, { redelivery: true }));
		},
		setTarget(next) {
			target = next;
		},
		async settled() {
			while (underWay.size > 0) await Promise.all(underWay);
		},
		stop: () => stopping.abort(),
	};
}
