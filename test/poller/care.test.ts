// What the poller does for jobs and machines after their launch: checks, ends, reruns, sweeps.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Machine } from "../../contract/job.ts";
import type { LaunchItem, TerminateItem } from "../../contract/lease.ts";
import { connectRunner } from "../local/github-client.ts";
import { checkItem, startWorld, type World } from "./poller-world.ts";

setDefaultTimeout(30_000);

let world: World;
afterEach(async () => {
	expect(world.problems).toEqual([]);
	expect(world.relay.problems).toEqual([]);
	await world.stop();
});

/** A job with its machine; nothing runs on it. */
async function launched(): Promise<{ item: LaunchItem; machine: Machine }> {
	const [item] = world.queue({ runsOn: ["mayfly=1/runner=small"] }) as [LaunchItem];
	world.relay.push(item);
	const [end] = await world.relay.ends(item.workId);
	if (end?.outcome !== "launched") throw new Error(`not launched: ${JSON.stringify(end)}`);
	const { workId: _, leaseId: __, outcome: ___, ...machine } = end;
	return { item, machine };
}

/** The machine's runner, as its agent would start it. */
async function online(machine: Machine) {
	return connectRunner((await world.document(machine.instanceId)).jitConfig);
}

async function checked(item: LaunchItem, state: "launched" | "running" | "waiting", machine: Machine | null = null) {
	world.relay.push(checkItem(item, state, machine));
	const isCheck = ({ workId }: { workId: string }) => workId === `check-${item.job.id}`;
	await world.relay.until(() => world.relay.settled.some(isCheck));
	return world.relay.settled.find(isCheck);
}

const stateOf = ({ instanceId }: Machine) => world.ec2.instances().find((it) => it.instanceId === instanceId)?.state;
const ending = ({ job }: LaunchItem, { instanceId, runnerName }: Machine, more: Partial<TerminateItem> = {}): TerminateItem => ({
	...{ kind: "terminate", workId: `terminate-${instanceId}`, leaseId: "l", instanceId, runnerName, job, force: false, reason: "told so" },
	...more,
});

describe("check", () => {
	test("a machine whose runner never came is ended after its runner was deleted, and the boot has failed", async () => {
		world = await startWorld();
		const { item, machine } = await launched();
		expect(await checked(item, "launched", machine)).toMatchObject({
			outcome: "failed",
			reason: expect.stringContaining("never came online"),
		});
		expect(world.github.runners()).toEqual([]);
		expect(stateOf(machine)).not.toBe("running");
	});

	test("a machine whose runner listens is left alone", async () => {
		world = await startWorld();
		const { item, machine } = await launched();
		world.github.setWebhook(null);
		const runner = await online({ ...machine });
		const other = world.queue({ runsOn: ["mayfly=2/runner=small"] })[0] as LaunchItem;
		expect(await checked({ ...item, job: { ...other.job } }, "launched", machine)).toMatchObject({ outcome: "extend" });
		expect(runner.session.status).toBe(200);
		expect(stateOf(machine)).toBe("running");
	});

	test("a machine that EC2 ended is a failed boot, what EC2 says of it is told, and its runner is deleted", async () => {
		world = await startWorld();
		const { item, machine } = await launched();
		world.ec2.interrupt(machine.instanceId, { noticeMs: 0 });
		await Bun.sleep(1200);
		expect(await checked(item, "launched", machine)).toMatchObject({ outcome: "failed", reason: expect.stringContaining("SpotInstance") });
		expect(world.github.runners()).toEqual([]);
		const told = world.relay.observed.flatMap(({ machines }) => machines);
		expect(told).toContainEqual(expect.objectContaining({ stateReason: "Server.SpotInstanceTermination" }));
	});

	test("a job that runs by now is told as running, with its runner", async () => {
		world = await startWorld();
		const { item, machine } = await launched();
		await (await online(machine)).take();
		const end = await checked(item, "launched", machine);
		expect(end).toMatchObject({ outcome: "notQueued", status: "in_progress", runnerName: machine.runnerName });
	});

	test("a running job that still runs only restarts its clock", async () => {
		world = await startWorld();
		const { item, machine } = await launched();
		await (await online(machine)).take();
		expect(await checked(item, "running", machine)).toMatchObject({ outcome: "extend" });
	});

	test("a job whose end was never heard of is told as over, and so is its run", async () => {
		world = await startWorld();
		const { item, machine } = await launched();
		const runner = await online(machine);
		await runner.complete((await runner.take()).jobId);
		expect(await checked(item, "running", machine)).toMatchObject({ outcome: "notQueued", status: "completed", conclusion: "success" });
		expect(world.relay.observed.flatMap(({ runs }) => runs)).toContainEqual({
			...{ id: item.job.runId, attempt: 1, status: "completed", conclusion: "success" },
		});
	});

	test("a job that waits for its environment goes on waiting, and is told once it may run", async () => {
		world = await startWorld();
		const [item] = world.queue({ environment: "production" }) as [LaunchItem];
		expect(world.github.job(item.job.id)?.status).toBe("waiting");
		expect(await checked(item, "waiting")).toMatchObject({ outcome: "extend" });
		world.relay.settled.length = 0;
		world.github.approve(item.job.runId);
		expect(await checked(item, "waiting")).toMatchObject({ outcome: "notQueued", status: "queued" });
	});
});

describe("terminate", () => {
	test("the runner goes before the machine", async () => {
		world = await startWorld();
		const { item, machine } = await launched();
		world.relay.push(ending(item, machine));
		expect((await world.relay.ends(`terminate-${machine.instanceId}`))[0]?.outcome).toBe("terminated");
		expect(world.github.runners()).toEqual([]);
		expect(stateOf(machine)).not.toBe("running");
	});

	test("a machine that runs a job is kept, unless it is forced", async () => {
		world = await startWorld();
		const { item, machine } = await launched();
		await (await online(machine)).take();
		world.relay.push(ending(item, machine));
		expect((await world.relay.ends(`terminate-${machine.instanceId}`))[0]?.outcome).toBe("kept");
		expect(stateOf(machine)).toBe("running");
		world.relay.settled.length = 0;
		world.relay.push(ending(item, machine, { force: true }));
		expect((await world.relay.ends(`terminate-${machine.instanceId}`))[0]?.outcome).toBe("terminated");
		expect(stateOf(machine)).not.toBe("running");
	});

	test("a machine that no job is named for is found by its tags, and one that is gone is terminated", async () => {
		world = await startWorld();
		const { item, machine } = await launched();
		world.relay.push(ending(item, machine, { job: null }));
		await world.relay.ends(`terminate-${machine.instanceId}`);
		expect(world.github.runners()).toEqual([]);
		const gone = { ...machine, instanceId: "i-00000000000000000" };
		world.relay.push(ending(item, gone, { job: null }));
		expect((await world.relay.ends(`terminate-${gone.instanceId}`))[0]?.outcome).toBe("terminated");
	});
});

describe("rerun", () => {
	async function interruptedRun(notice: boolean) {
		const { item, machine } = await launched();
		const runner = await online(machine);
		const { jobId } = await runner.take();
		if (notice) world.ec2.interrupt(machine.instanceId, { noticeMs: 0 });
		await runner.complete(jobId, { result: "Failed" });
		await Bun.sleep(1200);
		return { job: item.job, machine, end: await rerunOf(item.job, machine) };
	}

	async function rerunOf(job: LaunchItem["job"], machine: Machine) {
		world.relay.settled = world.relay.settled.filter(({ workId }) => workId !== `rerun-${job.runId}`);
		const machines = [{ instanceId: machine.instanceId, jobId: job.id, takenBack: false }];
		world.relay.push({
			...{ kind: "rerun", workId: `rerun-${job.runId}`, leaseId: "l", runId: job.runId, attempt: 1, repository: job.repository },
			...{ owner: job.owner, installationId: job.installationId, machines },
		});
		return (await world.relay.ends(`rerun-${job.runId}`))[0];
	}

	test("a run whose machine EC2 took away is run again", async () => {
		world = await startWorld();
		const { job, end } = await interruptedRun(true);
		expect(end?.outcome).toBe("reran");
		expect(world.github.runs().find(({ id }) => id === job.runId)?.attempt).toBe(2);
	});

	test("a run is not run again on a machine's word alone", async () => {
		world = await startWorld();
		const { job, machine, end: early } = await interruptedRun(false);
		expect(early).toMatchObject({ outcome: "later", reason: "an interrupted machine has not ended yet" });
		world.relay.push(ending({ job } as LaunchItem, machine, { force: true }));
		await world.relay.ends(`terminate-${machine.instanceId}`);
		await Bun.sleep(1200);
		const end = await rerunOf(job, machine);
		expect(end).toMatchObject({ outcome: "refused", reason: expect.stringContaining("EC2 does not say") });
		expect(world.github.runs().find(({ id }) => id === job.runId)?.attempt).toBe(1);
	});
});

describe("sweep", () => {
	test("every machine of the stack is told, and one that nobody wants is ended", async () => {
		world = await startWorld({ env: { SWEEP_MS: "300" } });
		const { machine } = await launched();
		world.relay.verdicts = [{ instanceId: machine.instanceId, verdict: "terminate", reason: "no job owns it", force: false }];
		await world.relay.until(() => stateOf(machine) !== "running");
		const fact = world.relay.observed.flatMap(({ machines }) => machines).find(({ instanceId }) => instanceId === machine.instanceId);
		expect(fact).toMatchObject({ state: "running", privateIp: machine.privateIp, token: expect.stringMatching(/^mayfly-[0-9a-f]{40}$/) });
		expect(world.relay.observed.every(({ complete }) => complete)).toBe(true);
		expect(world.github.runners()).toEqual([]);
	});

	test("a delivery that failed is asked for again, once", async () => {
		world = await startWorld({ env: { SWEEP_MS: "300" } });
		world.github.setWebhook(`${world.relay.url}/nowhere`);
		world.queue({});
		await world.relay.until(() => world.relay.observed.length >= 3);
		await Bun.sleep(1000);
		const { length } = world.asked.filter((it) => it === "POST /app/hook/deliveries/#/attempts");
		expect(length).toBe(1);
	});
});

describe("session", () => {
	test("a session that is superseded ends at once", async () => {
		world = await startWorld();
		world.relay.superseded = true;
		await world.relay.until(() => new Set(world.relay.leases.map(({ session }) => session)).size >= 2);
		const sessions = world.relay.leases.map(({ session }) => session);
		expect(new Set(sessions).size).toBe(sessions.length);
	});

	test("nothing is leased with less than 45 s left", async () => {
		world = await startWorld({ sessionMs: 46_000 });
		await world.relay.until(() => new Set(world.relay.leases.map(({ session }) => session)).size >= 2);
		for (const { endsAt = 0 } of world.relay.leases) expect(endsAt).toBeGreaterThan(0);
		const [first] = world.relay.leases;
		const last = world.relay.leases.findLast(({ session }) => session === first?.session);
		expect(last?.endsAt).toBe(first?.endsAt as number);
	});

	test("a relay that refuses the poller ends the invocation, and says so", async () => {
		world = await startWorld();
		world.relay.fail("/lease", 401);
		await world.relay.until(() => new Set(world.relay.leases.map(({ session }) => session)).size >= 2);
		expect(world.log.some(({ msg, error }) => msg === "Invoke Error" && String(error).includes("POST /lease: 401"))).toBe(true);
	});

	test("log lines are JSON and hold no secret", async () => {
		world = await startWorld();
		const { machine } = await launched();
		await world.relay.until(() => world.log.some(({ msg, instanceId }) => msg === "launched" && instanceId === machine.instanceId));
		const text = JSON.stringify(world.log);
		const { jitConfig, report } = await world.document(machine.instanceId);
		for (const secret of [jitConfig, report.token, "PRIVATE KEY", "the-token-of", "the-report-key"]) expect(text).not.toContain(secret);
	});
});
