// What GitHub, EC2 and the relay may do to a launch on its way.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { LaunchItem } from "../../contract/lease.ts";
import { checkItem, startWorld, type World } from "./poller-world.ts";

setDefaultTimeout(30_000);

let world: World;
afterEach(async () => {
	expect(world.problems).toEqual([]);
	expect(world.relay.problems).toEqual([]);
	await world.stop();
});

async function launchOne(): Promise<{ item: LaunchItem; end: Awaited<ReturnType<World["relay"]["ends"]>>[0] | undefined }> {
	const [item] = world.queue({}) as [LaunchItem];
	world.relay.push(item);
	const [end] = await world.relay.ends(item.workId);
	return { item, end };
}

describe("trouble with GitHub", () => {
	test("a run that cannot be read for now waits as long as GitHub says", async () => {
		world = await startWorld();
		world.github.faults.request({ path: /\/actions\/runs\//, status: 403, headers: { "retry-after": "77" }, times: 2 });
		const { end } = await launchOne();
		expect(end).toMatchObject({ outcome: "later", class: "throttled" });
		expect(end?.outcome === "later" && Math.abs(end.notBefore - Date.now() - 77_000) < 3000).toBe(true);
	});

	test.each([500, 502, 401, 422])("a run that is answered with %i is looked at later, never taken for gone", async (status) => {
		world = await startWorld();
		world.github.faults.request({ path: /\/actions\/runs\//, status, times: 8 });
		const { end } = await launchOne();
		expect(end?.outcome).toBe("later");
		expect(world.ec2.instances()).toHaveLength(0);
	});

	test("one failure of GitHub's own while a run is read costs the job nothing", async () => {
		world = await startWorld();
		world.github.faults.request({ method: "GET", path: /\/actions\/runs\//, status: 502, times: 1 });
		const { end } = await launchOne();
		expect(end?.outcome).toBe("launched");
	});

	test("a registration whose answer was lost is replaced, not doubled", async () => {
		world = await startWorld();
		world.github.faults.request({ path: /generate-jitconfig/, status: 502, after: true });
		const { end } = await launchOne();
		expect(end?.outcome).toBe("launched");
		expect(world.github.runners()).toHaveLength(1);
		expect(world.asked.filter((it) => it.startsWith("DELETE"))).toHaveLength(1);
	});

	test.each([
		// Longer than a machine waits for its registration.
		[
			"puts off its registration for too long",
			{ status: 403, headers: { "retry-after": "90" } },
			{ outcome: "later", awaits: "registration" },
		],
		["refuses its registration", { status: 422 }, { outcome: "failed" }],
	])("a machine is ended when GitHub %s, unless another lease has taken its launch over by then", async (_, fault, ends) => {
		world = await startWorld();
		const [own, taken] = world.queue({}, {}) as [LaunchItem, LaunchItem];
		world.relay.isStale = ({ workId, outcome }) => workId === taken.workId && outcome === "extend";
		world.github.faults.request({ path: /generate-jitconfig/, times: 2, ...fault });
		world.relay.push(own, taken);
		const [end] = await world.relay.ends(own.workId);
		expect(end).toMatchObject(ends);
		while (!world.log.some(({ msg, outcome }) => msg === "stale" && outcome === "extend")) await Bun.sleep(20);
		// Whatever would end it as well has had its turn.
		world.relay.push(checkItem(own, "queued"));
		await world.relay.ends(`check-${own.job.id}`);
		const isUp = ({ state }: { state: string }) => state === "pending" || state === "running";
		expect(world.ec2.instances().map(isUp).toSorted()).toEqual([false, true]);
		expect(world.relay.settled.filter(({ workId }) => workId === taken.workId).map(({ outcome }) => outcome)).toEqual(["launching"]);
	});

	test("a registration that is put off by a limit is made when the limit allows", async () => {
		world = await startWorld();
		world.github.faults.request({ path: /generate-jitconfig/, status: 403, headers: { "retry-after": "1" } });
		const { end } = await launchOne();
		expect(end?.outcome).toBe("launched");
		expect(world.asked.filter((it) => it.includes("generate-jitconfig"))).toHaveLength(2);
	});

	test("a registration that is refused ends the machine and says why", async () => {
		world = await startWorld();
		world.github.faults.request({ path: /generate-jitconfig/, status: 422, message: "no such group" });
		const { end } = await launchOne();
		expect(end).toMatchObject({ outcome: "failed", reason: expect.stringContaining("no such group") });
		expect(world.ec2.instances()[0]?.state).not.toBe("running");
	});

	test("a machine whose runner GitHub tells nothing of is not ended for that; once it is gone, nobody need be asked", async () => {
		world = await startWorld();
		const { item, end } = await launchOne();
		if (end?.outcome !== "launched") throw new Error(`not launched: ${end?.outcome}`);
		const { instanceId, runnerName } = end;
		const terminate = async (leaseId: string) => {
			world.relay.push({
				...{ kind: "terminate", workId: `terminate-${instanceId}`, leaseId, instanceId, runnerName, job: item.job },
				...{ force: false, reason: "told so" },
			});
			const isIt = (told: { workId: string; leaseId: string }) => told.workId === `terminate-${instanceId}` && told.leaseId === leaseId;
			await world.relay.until(() => world.relay.settled.some(isIt));
			return world.relay.settled.find(isIt);
		};
		world.github.faults.request({ method: "GET", path: /\/actions\/runners/, status: 404, times: 2 });
		expect(await terminate("one")).toMatchObject({ outcome: "failed", reason: expect.stringContaining("404") });
		expect(world.ec2.instances()[0]?.state).toBe("running");
		world.ec2.interrupt(instanceId, { noticeMs: 0 });
		await world.relay.until(() => world.ec2.instances()[0]?.state === "terminated");
		expect(await terminate("two")).toMatchObject({ outcome: "terminated" });
	});
});

describe("trouble with EC2", () => {
	test("instances that are not listed at once are waited for", async () => {
		world = await startWorld();
		world.ec2.faults.consistencyDelayMs = 700;
		expect((await launchOne()).end?.outcome).toBe("launched");
	});

	test("a CreateFleet whose answer was lost is asked again and launches once", async () => {
		world = await startWorld();
		world.ec2.faults.lost.CreateFleet = 1;
		expect((await launchOne()).end?.outcome).toBe("launched");
		expect(world.ec2.instances()).toHaveLength(1);
	});

	test("a CreateFleet that stays without an answer keeps its intent, which finds what was launched", async () => {
		world = await startWorld();
		world.ec2.faults.lost.CreateFleet = 3;
		const { item, end } = await launchOne();
		expect(end).toMatchObject({ outcome: "later", class: "throttled", intent: "kept", reason: expect.stringContaining("CreateFleet") });
		const decided = world.relay.settled.find(({ outcome }) => outcome === "launching");
		if (decided?.outcome !== "launching") throw new Error("no intent");
		const { token, members, request } = decided;
		world.relay.settled.length = 0;
		world.relay.push({ ...item, leaseId: "again", intent: { token, members, request } });
		const [again] = await world.relay.ends(item.workId);
		expect(again?.outcome).toBe("launched");
		expect(world.ec2.instances()).toHaveLength(1);
	});

	test("throttling beyond the client's patience is told as such", async () => {
		world = await startWorld();
		world.ec2.faults.throttled.CreateFleet = 9;
		expect((await launchOne()).end).toMatchObject({ outcome: "later", class: "throttled" });
	});

	test.each([
		["VcpuLimitExceeded", { outcome: "later", class: "quota" }],
		["RequestLimitExceeded", { outcome: "later", class: "throttled" }],
		["InvalidFleetConfiguration", { outcome: "refused" }],
		["NobodyKnowsThis", { outcome: "later", class: "unknown" }],
	])("%s inside a successful answer is told by its class", async (code, outcome) => {
		world = await startWorld();
		world.ec2.faults.shortages.push({ code });
		expect((await launchOne()).end).toMatchObject(outcome);
	});

	test("an address that cannot be read keeps no other machine waiting", async () => {
		world = await startWorld();
		world.ec2.faults.throttled.DescribeInstances = 4;
		expect((await launchOne()).end?.outcome).toBe("launched");
	});
});

describe("trouble with the relay", () => {
	test("an intent that could not be settled launches nothing", async () => {
		world = await startWorld();
		world.relay.fail("/settle", 503, 4);
		const [item] = world.queue({}) as [LaunchItem];
		world.relay.push(item);
		await world.relay.until(() => world.relay.leases.length > 1);
		await Bun.sleep(2500);
		expect(world.ec2.calls().filter(({ action }) => action === "CreateFleet")).toEqual([]);
	});

	test("a lease whose answer was lost is asked for under the same id", async () => {
		world = await startWorld();
		world.relay.fail("/lease", 502);
		expect((await launchOne()).end?.outcome).toBe("launched");
		const [first, second] = world.relay.leases;
		expect(second?.requestId).toBe(first?.requestId as string);
	});

	test("a launch that is settled in vain at first is settled in the end", async () => {
		world = await startWorld();
		const [item] = world.queue({}) as [LaunchItem];
		world.relay.push(item);
		await world.relay.until(() => world.relay.settled.length > 0);
		world.relay.fail("/settle", 503);
		const [end] = await world.relay.ends(item.workId);
		expect(end?.outcome).toBe("launched");
	});
});
