// A look of a gateway at itself: HAProxy that answers is not enough to be led to.
import { expect, test } from "bun:test";
import type { Fetch } from "../../aws/imds-reader.ts";
import { firstSight, STEP_MS } from "../../gateway/sight.ts";
import { watchStep } from "../../gateway/watch.ts";

test("a gateway takes no zone, its own neither, before its lists are taken up", async () => {
	let [now, hasLists] = [0, false];
	const events: string[] = [];
	const led: string[] = [];
	const peers = [{ instanceId: "i-01", zone: "a", privateIp: "127.0.0.1", launchedAt: 0 }];
	const ports = {
		ec2: { tell: async () => ({ peers, routes: { a: null, b: "i-gone" } }), lead: async (zone: string) => void led.push(zone) },
		fetch: (async () => new Response("")) as unknown as Fetch,
		log: (event: string) => void events.push(event),
		...{ now: () => now, hasLists: () => hasLists },
	};
	let sight = firstSight("i-01", "a", ["a", "b"]);
	for (; now < 60_000; now += STEP_MS) sight = await watchStep(ports, sight);
	expect([led, events]).toEqual([[], []]);
	hasLists = true;
	for (; now < 120_000; now += STEP_MS) sight = await watchStep(ports, sight);
	expect([...new Set(led)].toSorted()).toEqual(["a", "b"]);
	hasLists = false;
	sight = await watchStep(ports, sight);
	expect(events.filter((event) => event.includes("well"))).toEqual(["well", "not-well"]);
});
