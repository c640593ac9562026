// Which machines a look finds ended since the one before.
import { describe, expect, test } from "bun:test";
import type { Instance } from "../../poller/ports.ts";
import { endedSince } from "../../poller/sweep.ts";

const machine = (instanceId: string, state: Instance["state"], privateIp: string | null = "10.0.0.4"): Instance => ({
	...{ instanceId, state, privateIp, stateReason: null, launchedAt: 1, type: "m7a.large", zone: "eu-west-1a", market: "spot", tags: {} },
});
const before = (...machines: Instance[]) => new Map(machines.map((it) => [it.instanceId, it]));
const ids = (machines: Instance[]) => machines.map(({ instanceId }) => instanceId);

describe("machines that ended", () => {
	const rows: [claim: string, was: Instance[], is: Instance[], ended: string[]][] = [
		["one that ran and is gone", [machine("i-1", "running")], [machine("i-1", "terminated", null)], ["i-1"]],
		["one that is on its way out counts at once", [machine("i-1", "running")], [machine("i-1", "shutting-down")], ["i-1"]],
		["and not again when it is gone", [machine("i-1", "shutting-down")], [machine("i-1", "terminated", null)], []],
		["one that came and went between two looks", [], [machine("i-1", "terminated", null)], ["i-1"]],
		["one that runs has not", [machine("i-1", "pending")], [machine("i-1", "running")], []],
		["one that had ended before has not", [machine("i-1", "terminated", null)], [machine("i-1", "terminated", null)], []],
	];
	for (const [claim, was, is, ended] of rows) test(claim, () => expect(ids(endedSince(before(...was), is))).toEqual(ended));

	test("the address is the one that it had", () => {
		expect(endedSince(before(machine("i-1", "running")), [machine("i-1", "terminated", null)])[0]?.privateIp).toBe("10.0.0.4");
	});

	test("the first look of a session tells none: it cannot know which the session before told", () => {
		expect(endedSince(null, [machine("i-1", "terminated")])).toEqual([]);
	});
});
