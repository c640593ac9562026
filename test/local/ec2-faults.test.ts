// What can be made to go wrong at the EC2 stand-in, and what the AWS SDK's client sees of it.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { CreateFleetCommand, DescribeInstancesCommand, type EC2Client, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import type { Ec2 } from "../../local/ec2.ts";
import { bootNothing, ec2Client, fleetInput, launch, refusalOf, SUBNETS, startAccount, X64 } from "../fakes/aws-account.ts";

let ec2: Ec2;
let client: EC2Client;
let clock: number;
beforeEach(async () => {
	clock = Date.now();
	ec2 = await startAccount({ machines: 4, now: () => clock });
	client = ec2Client(ec2.url);
});
afterEach(() => ec2.stop());

/** Moves the clock of both sides. */
function pass(ms: number): void {
	clock += ms;
	client.config.systemClockOffset += ms;
}

const pools = {
	LaunchTemplateConfigs: [
		{
			LaunchTemplateSpecification: { LaunchTemplateId: X64.id, Version: "1" },
			Overrides: SUBNETS.map(({ id }) => ({ InstanceType: "m7a.large" as const, SubnetId: id })),
		},
	],
};
const spot = (TotalTargetCapacity: number) => ({
	TargetCapacitySpecification: { TotalTargetCapacity, DefaultTargetCapacityType: "spot" as const },
});
const create = async (over: object) => {
	const { Instances = [], Errors = [] } = await client.send(new CreateFleetCommand(fleetInput({ ...pools, ...over })));
	return {
		zones: Instances.map(({ AvailabilityZone, InstanceIds = [] }) => `${AvailabilityZone} ${InstanceIds.length}`),
		errors: Errors.map(({ ErrorCode, Lifecycle, LaunchTemplateAndOverrides }) =>
			[ErrorCode, Lifecycle, LaunchTemplateAndOverrides?.Overrides?.SubnetId].join(" "),
		),
	};
};

describe("capacity", () => {
	test("a pool that runs short is an error beside the machines that others gave", async () => {
		ec2.faults.shortages.push({ subnetId: SUBNETS[0]?.id, market: "spot", units: 1 });
		expect(await create(spot(3))).toEqual({
			zones: ["eu-west-1a 1", "eu-west-1b 2"],
			errors: [`InsufficientInstanceCapacity spot ${SUBNETS[0]?.id}`],
		});
	});

	test("no capacity at all is a success without instances", async () => {
		ec2.faults.shortages.push({ market: "spot" });
		const answer = await create(spot(2));
		expect(answer.zones).toEqual([]);
		expect(answer.errors).toHaveLength(2);
		const onDemand = { TargetCapacitySpecification: { TotalTargetCapacity: 1, DefaultTargetCapacityType: "on-demand" } };
		expect((await create(onDemand)).zones).toEqual(["eu-west-1a 1"]);
	});

	test("throttling can hide among the errors of a success", async () => {
		ec2.faults.shortages.push({ units: 1, code: "RequestLimitExceeded" });
		expect(await create(spot(2))).toEqual({ zones: ["eu-west-1a 1"], errors: SUBNETS.map(({ id }) => `RequestLimitExceeded spot ${id}`) });
	});

	test("a fleet that cannot reach its minimum launches nothing", async () => {
		ec2.faults.shortages.push({ units: 1 });
		expect((await create({ ...spot(2), SpotOptions: { MinTargetCapacity: 2, SingleInstanceType: true } })).zones).toEqual([]);
		expect(ec2.instances()).toEqual([]);
	});

	test("at its quota the account gives a capacity error, and room again once a machine is gone", async () => {
		expect(await create(spot(6))).toEqual({
			zones: ["eu-west-1a 4"],
			errors: SUBNETS.map(({ id }) => `InsufficientInstanceCapacity spot ${id}`),
		});
		expect((await create(spot(1))).zones).toEqual([]);
		await client.send(new TerminateInstancesCommand({ InstanceIds: [ec2.instances()[0]?.instanceId ?? ""] }));
		expect((await create(spot(1))).zones).toEqual(["eu-west-1a 1"]);
	});
});

describe("calls", () => {
	test("throttled calls are refused with 503 and have no effect", async () => {
		ec2.faults.throttled.CreateFleet = 1;
		expect(await refusalOf(launch(client))).toEqual({ code: "RequestLimitExceeded", status: 503 });
		expect(ec2.instances()).toEqual([]);
		expect(await launch(client)).toHaveLength(1);
	});

	test("a lost answer has had its effect: the client's own retry finds the same fleet", async () => {
		ec2.faults.lost.CreateFleet = 1;
		const ids = await launch(ec2Client(ec2.url, { maxAttempts: 2 }), { ClientToken: "lost" });
		expect(ec2.instances().map(({ instanceId }) => instanceId)).toEqual(ids);
		expect(ec2.calls().map(({ action }) => action)).toEqual(["CreateFleet", "CreateFleet"]);
	});

	test("whoever watches sees each call before its effect, before its answer and after it", async () => {
		const seen: [string, string, number][] = [];
		const answered = Promise.withResolvers<void>();
		ec2.faults.onCall = ({ action }, phase) => {
			seen.push([action, phase, ec2.instances().length]);
			if (phase === "answered") answered.resolve();
		};
		ec2.faults.latencyMs.CreateFleet = 1;
		await launch(client);
		await answered.promise;
		expect(seen).toEqual([
			["CreateFleet", "received", 0],
			["CreateFleet", "applied", 1],
			["CreateFleet", "answered", 1],
		]);
		expect(ec2.calls()[0]?.parameters["TargetCapacitySpecification.TotalTargetCapacity"]).toBe("1");
	});

	test("a caller that is gone by then has launched nevertheless", async () => {
		const abort = new AbortController();
		ec2.faults.onCall = (_, phase) => {
			if (phase === "applied") abort.abort();
		};
		await client.send(new CreateFleetCommand(fleetInput()), { abortSignal: abort.signal }).catch(() => {});
		expect(ec2.instances()).toHaveLength(1);
	});
});

describe("instances", () => {
	const found = async (...InstanceIds: string[]) => (await client.send(new DescribeInstancesCommand({ InstanceIds }))).Reservations?.length;

	test("a new one can be unknown for a while, by name and in lists", async () => {
		ec2.faults.consistencyDelayMs = 5000;
		const [id = ""] = await launch(client);
		expect((await refusalOf(found(id))).code).toBe("InvalidInstanceID.NotFound");
		expect(await found()).toBe(0);
		pass(5000);
		expect(await found(id)).toBe(1);
	});

	test("terminated ones are listed for an hour", async () => {
		const [id = ""] = await launch(client);
		await client.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
		pass(3_600_000);
		expect(await found(id)).toBe(1);
		pass(1);
		expect((await refusalOf(found(id))).code).toBe("InvalidInstanceID.NotFound");
	});

	test("only a running spot instance can be interrupted", async () => {
		const [id = ""] = await launch(client);
		expect(() => ec2.interrupt(id, { noticeMs: 0 })).toThrow("not a spot instance");
		expect(() => ec2.interrupt("i-00000000000000000", { noticeMs: 0 })).toThrow("not a running instance");
	});

	test("one that cannot be booted ends for EC2's own reason, and the fault is kept", async () => {
		await ec2.stop();
		const boots = [async () => Promise.reject(new Error("no disk")), bootNothing];
		ec2 = await startAccount({ boot: (facts, off) => (boots.shift() ?? bootNothing)(facts, off) });
		await launch(ec2Client(ec2.url), spot(2));
		await Bun.sleep(0);
		expect(ec2.instances().map(({ state, reason, problem }) => [state, reason?.code, String(problem)])).toEqual([
			["terminated", "Server.InternalError", "Error: no disk"],
			["running", undefined, "null"],
		]);
	});
});
