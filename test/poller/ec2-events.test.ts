// EC2's word on a machine through the real bundle: only the instance's id is read of it, the rest EC2 is asked.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import * as fc from "fast-check";
import type { Machine } from "../../contract/job.ts";
import type { LaunchItem } from "../../contract/lease.ts";
import { wakeOf } from "../../poller/wake.ts";
import { ec2Client, launch } from "../fakes/aws-account.ts";
import { connectRunner } from "../local/github-client.ts";
import { startWorld, type World } from "./poller-world.ts";

/** Machines take a moment to end, and this may run on a slow one. */
setDefaultTimeout(30_000);

/** As EventBridge sends them (EC2 User Guide, "State change events" and "Spot Instance interruption notices"). */
const event = (type: string, instanceId: unknown, detail: object) => ({
	...{ version: "0", id: "7bf73129-1428-4cd3-a780-95db273d1602", "detail-type": type, source: "aws.ec2", account: "123456789012" },
	...{ time: "2026-11-11T21:29:54Z", region: "us-east-1", resources: [`arn:aws:ec2:us-east-1b:instance/${instanceId}`] },
	detail: { "instance-id": instanceId, ...detail },
});
const stateChange = (instanceId: unknown, state: string) => event("EC2 Instance State-change Notification", instanceId, { state });
const spotWarning = (instanceId: unknown) =>
	event("EC2 Spot Instance Interruption Warning", instanceId, { "instance-action": "terminate" });
const ID = "i-0123456789abcdef0";
const NAMELESS = { for: "nothing", reason: "an event of EC2's without the id of an instance" };

describe("an invocation", () => {
	test.each<[string, unknown, object]>([
		["by the schedule", { source: "aws.events", "detail-type": "Scheduled Event", detail: {} }, { for: "session" }],
		["by hand", {}, { for: "session" }],
		["with nothing", null, { for: "session" }],
		["with a change of state", stateChange(ID, "terminated"), { for: "instance", instanceId: ID }],
		["with a spot warning", spotWarning(ID), { for: "instance", instanceId: ID }],
		["with an id alone", { detail: { "instance-id": ID } }, { for: "instance", instanceId: ID }],
		["with an id that is none", stateChange("i-0123456789abcdef0 or all", "terminated"), NAMELESS],
		["with many ids", stateChange([ID], "terminated"), NAMELESS],
		["without detail", { source: "aws.ec2" }, NAMELESS],
		["with a detail that is none", { source: "aws.ec2", detail: "i-0123456789abcdef0" }, NAMELESS],
		["with an id elsewhere", { source: "aws.ec2", detail: {}, resources: [`arn:aws:ec2:us-east-1:1:instance/${ID}`] }, NAMELESS],
	])("%s is for what it should be for", (_, asked, wake) => {
		expect(wakeOf(asked)).toEqual(wake as never);
	});

	test("with whatever it may be is for something, and never for an instance that is not named", () => {
		const ids = fc.oneof(fc.constant(ID), fc.string(), fc.constant(undefined), fc.integer());
		const events = fc.oneof(
			fc.anything(),
			fc.record({ source: fc.constantFrom("aws.ec2", "x"), detail: fc.record({ "instance-id": ids }, { requiredKeys: [] }) }),
		);
		fc.assert(
			fc.property(events, (asked) => {
				const wake = wakeOf(asked);
				if (wake.for === "instance") expect(wake.instanceId).toMatch(/^i-([0-9a-f]{8}|[0-9a-f]{17})$/);
			}),
		);
	});
});

describe("a look", () => {
	let world: World;
	afterEach(async () => {
		expect(world.problems).toEqual([]);
		expect(world.relay.problems).toEqual([]);
		await world.stop();
	});

	/** A poller that has swept once and does not again in this test; a job's machine where one is wanted. */
	async function begun(): Promise<void> {
		world = await startWorld({ env: { SWEEP_MS: "600000" } });
		await world.relay.until(() => world.relay.observed.length > 0);
		world.relay.observed.length = 0;
	}
	async function launched(): Promise<Machine> {
		const [item] = world.queue({ runsOn: ["mayfly=1/runner=small"] }) as [LaunchItem];
		world.relay.push(item);
		const [end] = await world.relay.ends(item.workId);
		if (end?.outcome !== "launched") throw new Error(`not launched: ${JSON.stringify(end)}`);
		return end;
	}
	const stateOf = ({ instanceId }: Machine) => world.ec2.instances().find((it) => it.instanceId === instanceId)?.state;
	const lines = (msg: string) => world.log.filter((line) => line.msg === msg);
	async function said(msg: string, times = 1): Promise<Record<string, unknown>> {
		while (lines(msg).length < times) await Bun.sleep(10);
		return lines(msg).at(-1) ?? {};
	}
	const keep = ({ instanceId }: Machine) => ({ instanceId, verdict: "keep" as const, reason: "it is ending", force: false });

	test("at a machine that EC2 took tells the relay so, with EC2's reason, and says in one line what came of it", async () => {
		await begun();
		const machine = await launched();
		world.ec2.interrupt(machine.instanceId, { noticeMs: 0 });
		while (stateOf(machine) !== "terminated") await Bun.sleep(20);
		world.relay.verdicts = [keep(machine)];
		world.poller.invoke(stateChange(machine.instanceId, "running"));
		const line = await said("looked at");
		const { instanceId } = machine;
		expect(line).toMatchObject({ instanceId, state: "terminated", stateReason: "Server.SpotInstanceTermination", verdict: "keep" });
		expect(world.relay.observed).toMatchObject([
			{ complete: false, jobs: [], runs: [], machines: [{ instanceId, state: "terminated", stateReason: line.stateReason }] },
		]);
	});

	test("begins no session and leases nothing", async () => {
		await begun();
		const machine = await launched();
		const sessions = () => new Set(world.relay.leases.map(({ session }) => session)).size;
		world.poller.invoke(spotWarning(machine.instanceId));
		const line = await said("looked at");
		expect(line).toMatchObject({ state: "running", instanceId: machine.instanceId });
		expect(sessions()).toBe(1);
		expect(world.relay.leases.some(({ session }) => session === line.session)).toBe(false);
		expect(stateOf(machine)).toBe("running");
	});

	test("that shows a machine nobody wants ends it, its runner first; one whose runner is busy is kept", async () => {
		await begun();
		const [idle, busy] = [await launched(), await launched()];
		await (await connectRunner((await world.document(busy.instanceId)).jitConfig)).take();
		world.relay.verdicts = [idle, busy].map((it) => ({ ...keep(it), verdict: "terminate" as const, reason: "no job owns it" }));
		world.asked.length = 0;
		world.poller.invoke(stateChange(idle.instanceId, "running"));
		await said("terminated");
		expect(stateOf(idle)).not.toBe("running");
		expect(world.asked.at(-1)).toStartWith("DELETE /orgs/octo-org/actions/runners/");
		expect(world.github.runners().map(({ name }) => name)).toEqual([busy.runnerName]);
		world.poller.invoke(stateChange(busy.instanceId, "running"));
		expect(await said("kept")).toMatchObject({ instanceId: busy.instanceId });
		expect(stateOf(busy)).toBe("running");
	});

	test("that is asked for twice and late changes nothing more", async () => {
		await begun();
		const machine = await launched();
		world.relay.verdicts = [{ ...keep(machine), verdict: "terminate", reason: "no job owns it" }];
		for (let at = 0; at < 5; at++) world.poller.invoke(stateChange(machine.instanceId, "shutting-down"));
		await said("looked at", 5);
		while (stateOf(machine) !== "terminated") await Bun.sleep(20);
		world.poller.invoke(stateChange(machine.instanceId, "pending"));
		expect(await said("looked at", 6)).toMatchObject({ state: "terminated" });
		expect(lines("not ended")).toEqual([]);
		expect(world.ec2.instances()).toHaveLength(1);
	});

	test("at what is not ours tells nobody: another stack's machine, one that EC2 does not list, an event that names none", async () => {
		await begun();
		const client = ec2Client(world.ec2.url);
		const [other = ""] = await launch(client, {
			TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "mayfly:stack", Value: "another" }] }],
		});
		world.poller.invoke(stateChange(other, "running"));
		expect(await said("told of a machine that is not of this stack")).toMatchObject({ instanceId: other, level: 30 });
		world.poller.invoke(stateChange(ID, "terminated"));
		expect(await said("told of a machine that EC2 does not list")).toMatchObject({ instanceId: ID, level: 30 });
		world.poller.invoke(stateChange("all of them", "terminated"));
		expect(await said("nothing to look at")).toMatchObject({ level: 40 });
		expect(world.relay.observed).toEqual([]);
		expect(world.ec2.instances().find(({ instanceId }) => instanceId === other)?.state).toBe("running");
		expect(world.ec2.calls().filter(({ action }) => action === "TerminateInstances")).toEqual([]);
	});

	test("that the relay does not answer is left to the sweep, and the invocation ends well", async () => {
		await begun();
		const machine = await launched();
		world.relay.fail("/observe", 503, 10);
		world.poller.invoke(stateChange(machine.instanceId, "stopped"));
		expect(await said("not looked at: the next sweep will")).toMatchObject({ level: 40, instanceId: machine.instanceId });
		expect(lines("Invoke Error")).toEqual([]);
	});
});
