// The poller's log as people and other logs join it, read from the stdout of the real bundle.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { LaunchItem } from "../../contract/lease.ts";
import { checkItem, startWorld, type World } from "./poller-world.ts";

/** Sessions begin and end, and sweeps come round, on a slow machine. */
setDefaultTimeout(30_000);

let world: World;
afterEach(() => world.stop());

type Line = Record<string, unknown>;
const lines = (msg: string) => world.log.filter((line) => line.msg === msg);

/** The first line with this message, once it is there. */
async function line(msg: string): Promise<Line> {
	for (;;) {
		const [found] = lines(msg);
		if (found) return found;
		await Bun.sleep(20);
	}
}

function queued(...labels: string[]): LaunchItem {
	const [item] = world.queue({ runsOn: labels });
	if (!item) throw new Error("nothing is queued");
	return item;
}

async function launched(): Promise<{ item: LaunchItem; instanceId: string; privateIp: string; runnerName: string }> {
	const item = queued("mayfly=1/runner=small");
	world.relay.push(item);
	const [end] = await world.relay.ends(item.workId);
	if (end?.outcome !== "launched") throw new Error(`not launched: ${JSON.stringify(end)}`);
	return { item, instanceId: end.instanceId, privateIp: end.privateIp, runnerName: end.runnerName };
}

const idsOf = ({ job, workId }: LaunchItem) => ({ jobId: job.id, runId: job.runId, workId });
/** EC2 tells whole seconds. */
const launchedAt = (instanceId: string) => {
	const at = world.ec2.instances().find((it) => it.instanceId === instanceId)?.launchedAt ?? Number.NaN;
	return Math.floor(at / 1000) * 1000;
};

describe("lines about a machine", () => {
	test("a launch is told with job, run, machine, address, launch time and price", async () => {
		world = await startWorld();
		const { item, instanceId, privateIp, runnerName } = await launched();
		expect(await line("launched")).toMatchObject({
			...{ ...idsOf(item), instanceId, privateIp, runnerName, launchedAt: launchedAt(instanceId), market: "spot" },
			...{ repository: "octo-org/octo-repo", session: expect.any(String), time: expect.any(Number) },
		});
		expect(await line("CreateFleet")).toMatchObject({ jobIds: [item.job.id], runIds: [item.job.runId] });
	});

	test("a machine that is ended on the relay's word is told with the same names and when", async () => {
		world = await startWorld();
		const { item, instanceId, privateIp, runnerName } = await launched();
		await line("launched");
		const told = { workId: `terminate-${instanceId}`, leaseId: "l", job: item.job, force: true, reason: "told so" };
		world.relay.push({ kind: "terminate", instanceId, runnerName, ...told });
		const terminated = await line("terminated");
		const about = { jobId: item.job.id, runId: item.job.runId, instanceId, privateIp, runnerName, launchedAt: launchedAt(instanceId) };
		expect(terminated).toMatchObject({ ...about, force: true });
		expect(Number(terminated.terminatedAt)).toBeGreaterThanOrEqual(Number(terminated.launchedAt));
		expect(await line("settled")).toMatchObject({ jobId: item.job.id, instanceId, outcome: "terminated" });
	});

	test("a machine that ends by itself is told once, with the address that EC2 has forgotten by then", async () => {
		world = await startWorld({ env: { SWEEP_MS: "100" } });
		const { item, instanceId, privateIp } = await launched();
		await world.relay.until(() =>
			world.relay.observed.some(({ machines }) => machines.some((it) => it.instanceId === instanceId && it.state === "running")),
		);
		world.ec2.interrupt(instanceId, { noticeMs: 0 });
		const ended = await line("ended");
		expect(ended).toMatchObject({ instanceId, privateIp, launchedAt: launchedAt(instanceId), terminatedAt: expect.any(Number) });
		expect(ended).toMatchObject({ jobId: item.job.id, runId: item.job.runId, stateReason: "Server.SpotInstanceTermination" });
		const looks = world.relay.observed.length;
		await world.relay.until(() => world.relay.observed.length > looks + 3);
		expect(lines("ended")).toHaveLength(1);
	});

	test("a machine that the ledger does not want is told with the job that it was made for", async () => {
		world = await startWorld({ env: { SWEEP_MS: "100" } });
		const { item, instanceId, privateIp } = await launched();
		const isTagged = () => world.ec2.instances().some(({ tags }) => tags["mayfly:job"] === String(item.job.id));
		while (!isTagged()) await Bun.sleep(20);
		// The look that is under way may have listed it without its tags.
		const looks = world.relay.observed.length;
		await world.relay.until(() => world.relay.observed.length > looks + 1);
		world.relay.verdicts = [{ instanceId, verdict: "terminate", reason: "no job owns it", force: false }];
		const about = { jobId: item.job.id, runId: item.job.runId, instanceId, privateIp };
		expect(await line("unwanted")).toMatchObject({ ...about, reason: "no job owns it" });
		expect(await line("terminated")).toMatchObject({ ...about, terminatedAt: expect.any(Number) });
	});
});

describe("lines about a job", () => {
	test("a refusal names the job and the reason", async () => {
		world = await startWorld();
		const item = queued("mayfly=1/runner=absent");
		world.relay.push(item);
		expect(await line("not launched")).toMatchObject({ ...idsOf(item), outcome: "refused", reason: expect.stringContaining("absent") });
	});

	test("what the relay no longer wants to hear names job, run and machine", async () => {
		world = await startWorld();
		const item = queued("mayfly=1/runner=small");
		world.relay.isStale = ({ workId }) => workId === item.workId;
		world.relay.push(item);
		expect(await line("stale")).toMatchObject({ ...idsOf(item), outcome: "launching", reason: "told so" });
	});

	test("what could not be settled names each job that it is about", async () => {
		world = await startWorld();
		const items = world.queue({ runsOn: ["mayfly=1/runner=absent"] }, { runsOn: ["mayfly=1/runner=absent"] });
		world.relay.fail("/settle", 503, 4);
		world.relay.push(...items);
		while (lines("not settled").length < 2) await Bun.sleep(20);
		expect(lines("not settled").map(({ jobId }) => jobId)).toEqual(items.map(({ job }) => job.id));
	});

	test("a check names the machine that it looked at", async () => {
		world = await startWorld();
		const { item, instanceId, privateIp, runnerName } = await launched();
		const machine = { instanceId, runnerName, privateIp, type: "m7a.large", zone: "eu-west-1a", market: "spot" as const };
		world.relay.push(checkItem(item, "launched", machine));
		expect(await line("settled")).toMatchObject({ jobId: item.job.id, runId: item.job.runId, instanceId, privateIp, outcome: "failed" });
		expect(await line("terminated")).toMatchObject({ jobId: item.job.id, instanceId, launchedAt: launchedAt(instanceId) });
	});
});
