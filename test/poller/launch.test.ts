// Launches through the real bundle: one lease to machines with documents.
import { afterEach, describe, expect, test } from "bun:test";
import { parseReportToken } from "../../contract/report.ts";
import { launchItem, startWorld, type World } from "./poller-world.ts";

let world: World;
afterEach(async () => {
	expect(world.problems).toEqual([]);
	expect(world.relay.problems).toEqual([]);
	await world.stop();
});

const calls = (action: string) => world.ec2.calls().filter((call) => call.action === action);

describe("launch", () => {
	test("jobs alike become one fleet, read once, each with its own machine and document", async () => {
		world = await startWorld();
		const items = world.queue({}, {}, {});
		world.relay.push(...items);
		const ends = await world.relay.ends(...items.map(({ workId }) => workId));
		expect(ends.map(({ outcome }) => outcome)).toEqual(["launched", "launched", "launched"]);
		expect(calls("CreateFleet")).toHaveLength(1);
		expect(world.asked.filter((it) => it.startsWith("GET /repos"))).toHaveLength(2);
		expect(world.asked.filter((it) => it.includes("access_tokens"))).toHaveLength(1);
		const machines = ends.flatMap((end) => (end.outcome === "launched" ? [end] : []));
		expect(new Set(machines.map(({ instanceId }) => instanceId)).size).toBe(3);
		for (const [at, machine] of machines.entries()) {
			const document = await world.document(machine.instanceId);
			expect(document.jobId).toBe(items[at]?.job.id as number);
			expect(document.runnerName).toBe(`mayfly-${machine.instanceId}-1`);
			expect(parseReportToken(document.report.token)?.instanceId).toBe(machine.instanceId);
			expect(document.recordUrl).toBe(`${world.mailbox.url}/records/${machine.privateIp}/${machine.instanceId}.json`);
			expect(document.limits.deadline).toBe(document.timestamps.launchedAt + 10 * 60_000 + 6 * 3_600_000);
			const runner = world.github.runners().find(({ name }) => name === machine.runnerName);
			expect(runner?.labels).toEqual(["self-hosted", "linux"]);
		}
	});

	test("the intent is settled for every member before the fleet is asked for", async () => {
		world = await startWorld();
		let settledBefore: string[] = [];
		world.ec2.faults.onCall = ({ action }, phase) => {
			if (action === "CreateFleet" && phase === "received") settledBefore = world.relay.settled.map(({ outcome }) => outcome);
		};
		const items = world.queue({}, {});
		world.relay.push(...items);
		await world.relay.ends(...items.map(({ workId }) => workId));
		expect(settledBefore).toEqual(["launching", "launching"]);
	});

	test("jobs that ask for different machines become different fleets", async () => {
		world = await startWorld();
		const items = world.queue({}, { runsOn: ["mayfly=1/runner=4cpu-linux-arm64/spot=false"] });
		world.relay.push(...items);
		await world.relay.ends(...items.map(({ workId }) => workId));
		const [small, large] = world.ec2.instances().toSorted((a, b) => a.market.localeCompare(b.market));
		expect([small?.market, large?.market]).toEqual(["on-demand", "spot"]);
		expect(small?.instanceType).toMatch(/g\.xlarge$/);
	});

	test("a launch that another lease took away launches nothing and gives up the rest at once", async () => {
		world = await startWorld();
		const items = world.queue({}, {});
		world.relay.stale.add(items[0]?.workId ?? "");
		world.relay.push(...items);
		const [end] = await world.relay.ends(items[1]?.workId ?? "");
		expect(end).toMatchObject({ outcome: "later", class: "budget" });
		expect(calls("CreateFleet")).toHaveLength(0);
	});

	test("a job whose label is refused is refused with the reason, and nothing is launched", async () => {
		world = await startWorld();
		const items = world.queue({ runsOn: ["mayfly=1/gpu=2"] }, { runsOn: ["mayfly=1/runner=own"] }, { runsOn: ["mayfly=1/cpu=3"] });
		world.relay.push(...items);
		const ends = await world.relay.ends(...items.map(({ workId }) => workId));
		expect(ends.map((end) => (end.outcome === "refused" ? end.reason : end.outcome))).toEqual([
			"The key gpu is unknown: known are runner, cpu, ram, family, arch, image, spot.",
			expect.stringContaining("does not admit the job"),
			"No instance type that is known here has 3 vCPUs, x64.",
		]);
		expect(calls("CreateFleet")).toHaveLength(0);
	});

	test("a job that GitHub does not know, or knows as over, is not launched", async () => {
		world = await startWorld();
		const [item] = world.queue({});
		if (!item) throw new Error("no job");
		world.github.cancelRun(item.job.runId);
		const stranger = launchItem(999_999, 888_888, item.job.installationId ?? 0);
		const absent = launchItem(777_777, item.job.runId, item.job.installationId ?? 0);
		world.relay.push(item, stranger, absent);
		const ends = await world.relay.ends(item.workId, stranger.workId, absent.workId);
		expect(ends[0]).toMatchObject({ outcome: "notQueued", status: "completed", conclusion: "cancelled" });
		expect(ends.slice(1).map(({ outcome }) => outcome)).toEqual(["gone", "gone"]);
		expect(calls("CreateFleet")).toHaveLength(0);
	});

	test("without spot capacity the rest comes from on-demand in the same tick", async () => {
		world = await startWorld();
		world.ec2.faults.shortages.push({ market: "spot", units: 1 });
		const items = world.queue({}, {}, {});
		world.relay.push(...items);
		const ends = await world.relay.ends(...items.map(({ workId }) => workId));
		expect(ends.map((end) => (end.outcome === "launched" ? end.market : end.outcome))).toEqual(["spot", "on-demand", "on-demand"]);
		expect(calls("CreateFleet")).toHaveLength(2);
	});

	test("members that no machine is left for wait, and say what for", async () => {
		world = await startWorld({ machines: 1 });
		const items = world.queue({}, {});
		world.relay.push(...items);
		const ends = await world.relay.ends(...items.map(({ workId }) => workId));
		expect(ends.map(({ outcome }) => outcome).toSorted()).toEqual(["later", "launched"]);
		expect(ends.find(({ outcome }) => outcome === "later")).toMatchObject({ class: "capacity", reason: expect.stringContaining("EC2") });
	});
});
