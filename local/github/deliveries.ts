// The record of webhook deliveries, newest first as GitHub lists it, and its routes (FACTS 2.6). Holds the deliveries.
import { isoTime, notFound, ok, refusal } from "./answer.ts";
import { linkHeader, perPage } from "./page.ts";
import type { Json } from "./payload.ts";
import type { Route } from "./route.ts";

export interface Delivery {
	id: number;
	guid: string;
	at: number;
	redelivery: boolean;
	/** Seconds. */
	duration: number;
	/** `OK`, or what went wrong in words. */
	status: string;
	statusCode: number;
	event: string;
	action: string;
	jobId: number;
	installationId: number;
	repositoryId: number;
	url: string;
	requestHeaders: Record<string, string>;
	/** The body exactly as it was signed. */
	body: string;
	responseHeaders: Record<string, string>;
	responseBody: string | null;
}

export interface Deliveries {
	/** Oldest first. */
	all(): Delivery[];
	record(delivery: Omit<Delivery, "id">): Delivery;
	get(id: number): Delivery | null;
}

export function createDeliveries(): Deliveries {
	const kept = new Map<number, Delivery>();
	let lastId = 190_000_000_000;
	return {
		all: () => [...kept.values()],
		get: (id) => kept.get(id) ?? null,
		record(delivery) {
			const recorded = { id: ++lastId, ...delivery };
			kept.set(recorded.id, recorded);
			return recorded;
		},
	};
}

function itemJson(delivery: Delivery): Json {
	return {
		...{ id: delivery.id, guid: delivery.guid, delivered_at: isoTime(delivery.at), redelivery: delivery.redelivery },
		...{ duration: delivery.duration, status: delivery.status, status_code: delivery.statusCode, event: delivery.event },
		...{ action: delivery.action, installation_id: delivery.installationId, repository_id: delivery.repositoryId, throttled_at: null },
	};
}

function wholeJson(delivery: Delivery): Json {
	return {
		...itemJson(delivery),
		url: delivery.url,
		request: { headers: delivery.requestHeaders, payload: JSON.parse(delivery.body) as unknown },
		response: { headers: delivery.responseHeaders, payload: delivery.responseBody },
	};
}

/** `success` is 200-399, `failure` 400-599. */
function hasStatus(delivery: Delivery, status: string | null): boolean {
	if (status === null) return true;
	return status === "failure" ? delivery.statusCode >= 400 : delivery.statusCode < 400;
}

/** `GET /app/hook/deliveries`, one of them, and its redelivery. */
export function deliveryRoutes(deliveries: Deliveries, redeliver: (delivery: Delivery) => void): Route[] {
	return [
		{
			method: "GET",
			path: "/app/hook/deliveries",
			access: "app",
			answer({ query, url }) {
				const status = query.get("status");
				if (status !== null && status !== "success" && status !== "failure") return refusal(422, "Invalid status");
				const cursor = query.get("cursor");
				const before = cursor === null ? Number.POSITIVE_INFINITY : Number(/^v1_(\d+)$/.exec(cursor)?.[1]);
				if (Number.isNaN(before)) return refusal(400, "Invalid cursor");
				const newestFirst = deliveries.all().toReversed();
				const found = newestFirst.filter((delivery) => delivery.id < before && hasStatus(delivery, status));
				const items = found.slice(0, perPage(query));
				const last = items.at(-1);
				const links = last && found.length > items.length ? { next: { cursor: `v1_${last.id}` } } : {};
				return ok(items.map(itemJson), linkHeader(url, links));
			},
		},
		{
			method: "GET",
			path: "/app/hook/deliveries/{delivery_id}",
			access: "app",
			answer({ id }) {
				const delivery = deliveries.get(id("delivery_id"));
				return delivery ? ok(wholeJson(delivery)) : notFound();
			},
		},
		{
			method: "POST",
			path: "/app/hook/deliveries/{delivery_id}/attempts",
			access: "app",
			answer({ id }) {
				const delivery = deliveries.get(id("delivery_id"));
				if (!delivery) return notFound();
				redeliver(delivery);
				return { status: 202, body: {} };
			},
		},
	];
}
