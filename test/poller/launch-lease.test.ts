// Whether a launch is still a session's own: what it asks the relay, and what it takes for a no.
import { describe, expect, test } from "bun:test";
import type { SettleAnswer } from "../../contract/settle.ts";
import { createLaunchLease } from "../../poller/launch-lease.ts";
import type { Ports } from "../../poller/ports.ts";
import { handClock } from "../local/github-client.ts";
import { launchItem } from "./poller-world.ts";

const NOW = 1_795_000_000_000;
const ITEM = launchItem(1, 2, 3);
const MINE: SettleAnswer = { settled: { [ITEM.workId]: { state: "launching" } }, stale: {} };
const TAKEN: SettleAnswer = { settled: {}, stale: { [ITEM.workId]: { reason: "another lease" } } };

function leaseOf(signAt: number | null, answer: () => Promise<SettleAnswer> = async () => MINE) {
	const clock = handClock(NOW);
	let asked = 0;
	const settle = () => {
		asked += 1;
		return answer();
	};
	const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
	const ports = { now: clock, log, relay: { settle } } as unknown as Ports;
	return { clock, asked: () => asked, lease: createLaunchLease(ports, ITEM, signAt) };
}

describe("the lease of a launch", () => {
	test("lasts for some time after a sign, without a question", async () => {
		const { lease, clock, asked } = leaseOf(NOW);
		clock.pass(20_000);
		expect([await lease.lasts(), asked()]).toEqual([true, 0]);
	});

	test("is asked for when the last sign is long ago, and then lasts for some time", async () => {
		const { lease, clock, asked } = leaseOf(NOW);
		clock.pass(20_001);
		expect([await lease.lasts(), await lease.lasts(), asked()]).toEqual([true, true, 1]);
	});

	test("is asked for when no sign is known", async () => {
		const { lease, asked } = leaseOf(null);
		expect([await lease.lasts(), asked()]).toEqual([true, 1]);
	});

	test.each<[string, () => Promise<SettleAnswer>]>([
		["another session has it", async () => TAKEN],
		["the relay does not answer", () => Promise.reject(new Error("no answer"))],
	])("is over when %s, however often that is asked", async (_, answer) => {
		const { lease, asked } = leaseOf(null, answer);
		expect([await lease.lasts(), await lease.extend(), asked()]).toEqual([false, false, 2]);
	});
});
