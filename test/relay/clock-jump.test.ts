// The relay in workerd while the clock of its machine is set: its timers go on, its moments jump.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { changedRelay, payloadOf, relayUnderTest } from "./relay-under-test.ts";

const HOUR = 3_600_000;
/** Sets the clock by what a request says. */
const JUMPING = `
const given = Date.now;
let ahead = 0;
Date.now = () => given() + ahead;
const jumping = {
	fetch(request, env) {
		ahead += Number(request.headers.get("x-jump") ?? 0);
		return worker_default.fetch(request, env);
	},
};
export {
  Queue,
  jumping as default`;

for (const [way, by] of [
	["back", -HOUR],
	["forward", HOUR],
] as const)
	test(`a long poll during which the clock is set ${way} by an hour ends, and work that falls due is handed out`, async () => {
		await using relay = await relayUnderTest({ CLOCKS: JSON.stringify({ firstLease: 400 }) });
		await relay.deploy(
			await changedRelay(join(relay.folder, "jumping.js"), { "export {\n  Queue,\n  worker_default as default": JUMPING }),
		);
		await relay.webhook(payloadOf(1, "queued"));
		const abandoned = await relay.lease();
		const polled = relay.lease({ requestId: "under way", waitSeconds: 20 });
		await Bun.sleep(50);
		expect((await relay.call("/health", { headers: { "x-jump": String(by) } })).status).toBe(200);
		const { work } = await polled;
		const again = work.length > 0 ? work : (await relay.lease({ waitSeconds: 20 })).work;
		expect(again.map(({ workId }) => workId)).toEqual(["launch-1"]);
		expect(again[0]?.leaseId).not.toBe(abandoned.work[0]?.leaseId);
		expect((await relay.webhook(payloadOf(2, "queued"))).status).toBe(202);
		expect((await relay.lease({ waitSeconds: 20 })).work.map(({ workId }) => workId)).toContain("launch-2");
	}, 10_000);
