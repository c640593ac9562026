// A launch that was cut off is carried out again from its intent: the same machines, for those members that are leased.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { bootKey } from "../../contract/boot.ts";
import type { Intent, LaunchItem } from "../../contract/lease.ts";
import { startWorld, type World } from "./poller-world.ts";

setDefaultTimeout(30_000);

let world: World;
afterEach(async () => {
	expect(world.problems).toEqual([]);
	expect(world.relay.problems).toEqual([]);
	await world.stop();
});

/** The item as the relay leases it after its intent was settled. */
function again(item: LaunchItem): LaunchItem {
	const settled = world.relay.settled.find((it) => it.workId === item.workId && it.outcome === "launching");
	if (settled?.outcome !== "launching") throw new Error("no intent");
	const { token, members, request } = settled;
	return { ...item, leaseId: `${item.leaseId}-again`, intent: { token, members, request } satisfies Intent };
}

/** Kills the poller at a moment of its first CreateFleet, starts another and leases the items again. */
async function killedAt(phase: "received" | "applied", items: LaunchItem[]): Promise<void> {
	const killed = new Promise<void>((resolve) => {
		world.ec2.faults.onCall = async ({ action }, at) => {
			if (action !== "CreateFleet" || at !== phase) return;
			world.ec2.faults.onCall = () => {};
			await world.poller.kill("SIGKILL");
			resolve();
		};
	});
	world.relay.push(...items);
	await killed;
	await world.poller.restart();
}

describe("replay", () => {
	test.each(["received", "applied"] as const)("a poller killed when CreateFleet was %s leaves no second machine", async (phase) => {
		world = await startWorld();
		const items = world.queue({}, {});
		await killedAt(phase, items);
		world.relay.push(...items.map(again));
		const ends = await world.relay.ends(...items.map(({ workId }) => workId));
		expect(ends.map(({ outcome }) => outcome)).toEqual(["launched", "launched"]);
		expect(world.ec2.instances()).toHaveLength(2);
		expect(new Set(ends.map((end) => (end.outcome === "launched" ? end.instanceId : ""))).size).toBe(2);
	});

	test("while GitHub cannot be read it keeps its intent, since its machines may be there", async () => {
		world = await startWorld();
		const [item] = world.queue({}) as [LaunchItem];
		await killedAt("applied", [item]);
		world.github.faults.request({ path: /\/actions\/runs\//, status: 502, times: 8 });
		world.relay.push(again(item));
		const [end] = await world.relay.ends(item.workId);
		expect(end).toMatchObject({ outcome: "later", class: "throttled", intent: "kept" });
		expect(world.ec2.instances()).toHaveLength(1);
	});

	test("throttled, it keeps its intent: what EC2 did not look at says nothing of what it did before", async () => {
		world = await startWorld();
		const [item] = world.queue({}) as [LaunchItem];
		await killedAt("applied", [item]);
		const begun = again(item);
		world.ec2.faults.throttled.CreateFleet = 3;
		world.relay.push(begun);
		const [end] = await world.relay.ends(item.workId);
		expect(end).toMatchObject({ outcome: "later", class: "throttled", intent: "kept" });
		world.relay.settled.length = 0;
		world.relay.push({ ...begun, leaseId: "once more" });
		const [last] = await world.relay.ends(item.workId);
		expect(last).toMatchObject({ outcome: "launched", instanceId: world.ec2.instances()[0]?.instanceId });
		expect(world.ec2.instances()).toHaveLength(1);
	});

	test("a member alone gets the machine of its place among all members", async () => {
		world = await startWorld();
		const items = world.queue({}, {}, {});
		await killedAt("applied", items);
		const second = items[1] as LaunchItem;
		world.relay.push(again(second));
		const [end] = await world.relay.ends(second.workId);
		const sorted = world.ec2
			.instances()
			.map(({ instanceId }) => instanceId)
			.toSorted();
		expect(end).toMatchObject({ outcome: "launched", instanceId: sorted[1] });
		expect(world.github.runners()).toHaveLength(1);
	});

	test("spot that fell back to on-demand does so again, and gives the same machines", async () => {
		world = await startWorld();
		world.ec2.faults.shortages.push({ market: "spot", units: 1 });
		const items = world.queue({}, {});
		world.relay.push(...items);
		const before = await world.relay.ends(...items.map(({ workId }) => workId));
		world.relay.settled.splice(2);
		world.relay.push(...items.map(again));
		const after = await world.relay.ends(...items.map(({ workId }) => workId));
		const idsOf = (ends: typeof before) => ends.map((end) => (end.outcome === "launched" ? end.instanceId : end.outcome));
		expect(idsOf(after)).toEqual(idsOf(before));
		expect(world.ec2.instances()).toHaveLength(2);
	});

	test("a machine that has its document already is settled, and its registration stays", async () => {
		world = await startWorld();
		const [item] = world.queue({}) as [LaunchItem];
		world.relay.push(item);
		const [before] = await world.relay.ends(item.workId);
		const document = await world.document(before?.outcome === "launched" ? before.instanceId : "");
		world.relay.settled.splice(1);
		world.relay.push(again(item));
		const [after] = await world.relay.ends(item.workId);
		expect(after?.outcome).toBe("launched");
		expect(await world.document(document.instanceId)).toEqual(document);
	});

	test("a registration whose key was lost is deleted and made again", async () => {
		world = await startWorld();
		const [item] = world.queue({}) as [LaunchItem];
		world.relay.push(item);
		const [before] = await world.relay.ends(item.workId);
		if (before?.outcome !== "launched") throw new Error("not launched");
		const lost = await world.document(before.instanceId);
		// As if the poller had died between the registration and the document.
		const key = bootKey(before.privateIp, before.instanceId);
		await fetch(`${world.mailbox.endpointFor(before.privateIp).url}/${key}`, { method: "DELETE" });
		world.relay.settled.splice(1);
		world.relay.push(again(item));
		await world.relay.ends(item.workId);
		const made = await world.document(before.instanceId);
		expect(made.jitConfig).not.toBe(lost.jitConfig);
		expect(world.github.runners()).toHaveLength(1);
	}, 20_000);

	test("a machine that ended meanwhile is a failed boot", async () => {
		world = await startWorld();
		const [item] = world.queue({}) as [LaunchItem];
		await killedAt("applied", [item]);
		const [instance] = world.ec2.instances();
		world.ec2.interrupt(instance?.instanceId ?? "", { noticeMs: 0 });
		await Bun.sleep(1500);
		world.relay.push(again(item));
		const [end] = await world.relay.ends(item.workId);
		expect(end).toMatchObject({ outcome: "failed", reason: expect.stringContaining("Server.SpotInstanceTermination") });
	});

	test("a token that was used with other parameters finds its machines by their tag", async () => {
		world = await startWorld();
		const [item] = world.queue({}) as [LaunchItem];
		await killedAt("applied", [item]);
		const intended = again(item);
		const request = structuredClone(intended.intent?.request) as { first: { TargetCapacitySpecification: object } };
		request.first.TargetCapacitySpecification = { TotalTargetCapacity: 1, DefaultTargetCapacityType: "on-demand" };
		world.relay.push({ ...intended, intent: { ...(intended.intent as Intent), request } });
		const [end] = await world.relay.ends(item.workId);
		expect(end).toMatchObject({ outcome: "launched", instanceId: world.ec2.instances()[0]?.instanceId });
		expect(world.ec2.instances()).toHaveLength(1);
	});

	test("an intent that this build cannot read is given up, and nothing is launched", async () => {
		world = await startWorld();
		const [item] = world.queue({}) as [LaunchItem];
		world.relay.push({ ...item, intent: { token: "old", members: [item.job.id], request: { Type: "maintain" } } });
		const [end] = await world.relay.ends(item.workId);
		expect(end).toMatchObject({ outcome: "later", class: "unknown" });
		expect(world.ec2.instances()).toHaveLength(0);
	});
});
