// Machines that are older than their tier lets any be: ended from outside, whatever they run and whatever the ledger says of them.
import { describe, expect, test } from "bun:test";
import type { Instance, Ports } from "../../poller/ports.ts";
import { sweepMachines } from "../../poller/sweep.ts";
import { config, NOW } from "./facts.ts";

const HOUR = 60 * 60_000;
const SLACK = 15 * 60_000;

function instance(digit: number, ageMs: number, { tags = { "mayfly:limit": "3600" }, ...more }: Partial<Instance> = {}): Instance {
	return {
		...{ instanceId: `i-0123456789abcdef${digit}`, state: "running", stateReason: null, privateIp: "10.0.0.1", launchedAt: NOW - ageMs },
		...{ type: "m8a.large", zone: "eu-west-1a", market: "spot", tags: { "mayfly:stack": "test", ...tags } },
		...more,
	};
}

/** One look; gives the last digits of the machines that were ended, in turn. `unwanted`: what the relay wants ended, by force. */
async function look(listed: Instance[], { unwanted = "", stays = "" } = {}): Promise<string[]> {
	const ended: string[] = [];
	const quiet = () => undefined;
	const ports = {
		...{ config, stack: "test", now: () => NOW, metrics: { machines: quiet }, log: { info: quiet, warn: quiet, error: quiet } },
		ec2: {
			withTag: async () => listed,
			async terminate([id = ""]: string[]) {
				if (stays !== "" && id.endsWith(stays)) throw new Error("EC2 does not answer");
				ended.push(id.slice(-1));
			},
		},
		relay: {
			observe: async () => ({
				active: [],
				machines: listed.map(({ instanceId }) => {
					const verdict = unwanted !== "" && instanceId.endsWith(unwanted) ? "terminate" : "keep";
					return { instanceId, verdict, reason: "told so", force: true };
				}),
			}),
		},
		github: {},
	} as unknown as Ports;
	await sweepMachines(ports, { machines: null });
	return ended;
}

describe("a machine that is older than its tier's limits", () => {
	test("is ended, busy or not: GitHub is not asked", async () => {
		expect(await look([instance(1, HOUR + SLACK + 1), instance(2, HOUR + SLACK)])).toEqual(["1"]);
	});

	test("goes by the limits that it was launched with", async () => {
		const longer = { tags: { "mayfly:limit": "7200" } };
		expect(await look([instance(1, 2 * HOUR, longer), instance(2, 2 * HOUR + SLACK + 1, longer)])).toEqual(["2"]);
	});

	test("is not judged here when it is off, or was launched without a limit", async () => {
		const old = 100 * HOUR;
		const others = [
			instance(1, old, { state: "terminated" }),
			instance(2, old, { tags: {} }),
			instance(3, old, { tags: { "mayfly:limit": "x" } }),
		];
		expect(await look(others)).toEqual([]);
	});

	test("is ended once where the relay wants its end as well", async () => {
		expect(await look([instance(1, 2 * HOUR), instance(2, 2 * HOUR)], { unwanted: "1" })).toEqual(["1", "2"]);
	});

	test("that cannot be ended for now keeps no other from its end", async () => {
		expect(await look([instance(1, 2 * HOUR), instance(2, 2 * HOUR)], { stays: "1" })).toEqual(["2"]);
	});
});
