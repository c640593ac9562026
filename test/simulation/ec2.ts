// A model of EC2: fleets by token, pools that run dry, machines that are listed late and taken back.
import type { CreateFleetCommandInput } from "@aws-sdk/client-ec2";
import { Ec2Error } from "../../poller/ec2.ts";
import type { Ec2, FleetAnswer, Instance, Market } from "../../poller/ports.ts";
import { instanceId } from "../relay/ledger-rows.ts";
import { type Setting, travel } from "./world.ts";

export interface Machine extends Instance {
	privateIp: string;
	token: string;
	listedAt: number;
	endedAt: number | null;
	/** Its runner has done its one job. */
	served: boolean;
	/** Told by the machine's own model when EC2 ends it. */
	onEnd: (() => void) | null;
}

const HOUR = 3_600_000;
/** Ended machines are listed for about this long. */
const LISTED = HOUR;

export type Ec2Model = ReturnType<typeof createEc2Model>;

export function createEc2Model(setting: Setting, boot: (machine: Machine) => void) {
	const { clock, dice, faults, tell, broken } = setting;
	const machines = new Map<string, Machine>();
	/** Those that are not gone from EC2's list for good. */
	const recent = new Set<Machine>();
	const answers = new Map<string, { request: string; answer: FleetAnswer }>();
	const emptyUntil = new Map<string, number>();
	let fleets = 0;

	function isEmpty(pool: string): boolean {
		const until = emptyUntil.get(pool) ?? 0;
		if (until > clock.now()) return faults.now.poolEmpty > 0;
		if (!dice.chance(faults.now.poolEmpty)) return false;
		emptyUntil.set(pool, clock.now() + dice.below(HOUR));
		return true;
	}

	function begin(request: CreateFleetCommandInput, pool: { type: string; subnet: string }, market: Market): Machine {
		const n = machines.size + 1;
		const tags = Object.fromEntries((request.TagSpecifications?.[0]?.Tags ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""]));
		const machine: Machine = {
			...{ instanceId: instanceId(n), state: "pending", stateReason: null, launchedAt: clock.now(), type: pool.type, market, tags },
			privateIp: `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`,
			...{ zone: `zone-of-${pool.subnet}`, token: request.ClientToken ?? "", listedAt: clock.now() + dice.below(3000) },
			...{ endedAt: null, served: false, onEnd: null },
		};
		machines.set(machine.instanceId, machine);
		recent.add(machine);
		clock.after(2000 + dice.below(8000), () => {
			if (machine.state === "pending") machine.state = "running";
		});
		if (market === "spot") watchSpot(machine);
		tell("ec2", `${machine.instanceId} ${market} ${machine.type} launched`);
		boot(machine);
		return machine;
	}

	function watchSpot(machine: Machine): void {
		clock.after(dice.below(HOUR), () => {
			if (machine.state !== "running" && machine.state !== "pending") return;
			if (dice.chance(faults.now.interrupted)) {
				tell("ec2", `${machine.instanceId} is taken back in two minutes`);
				clock.after(120_000, () => end(machine.instanceId, "Server.SpotInstanceTermination"));
			} else watchSpot(machine);
		});
	}

	/** A machine ends, by itself or by somebody's word. */
	function end(id: string, reason: string): void {
		const machine = machines.get(id);
		if (!machine || machine.endedAt !== null) return;
		Object.assign(machine, { state: "shutting-down", stateReason: reason, endedAt: clock.now() });
		tell("ec2", `${id} ends: ${reason}`);
		machine.onEnd?.();
		clock.after(1000 + dice.below(20_000), () => {
			machine.state = "terminated";
		});
	}

	function allocate(request: CreateFleetCommandInput): FleetAnswer {
		const { TotalTargetCapacity: wanted = 0, DefaultTargetCapacityType } = request.TargetCapacitySpecification ?? {};
		const market: Market = DefaultTargetCapacityType === "spot" ? "spot" : "on-demand";
		const overrides = request.LaunchTemplateConfigs?.[0]?.Overrides ?? [];
		const pools = overrides.map(({ InstanceType, SubnetId }) => ({ type: InstanceType ?? "", subnet: SubnetId ?? "" }));
		const open = pools.filter(({ type, subnet }) => !isEmpty(`${market} ${type} ${subnet}`));
		const instanceIds: string[] = [];
		while (instanceIds.length < wanted && open.length > 0) {
			const pool = open[dice.below(Math.min(3, open.length))] as { type: string; subnet: string };
			instanceIds.push(begin(request, pool, market).instanceId);
			if (dice.chance(faults.now.poolEmpty / 10)) open.splice(open.indexOf(pool), 1);
		}
		const errors = instanceIds.length < wanted ? [{ code: "InsufficientInstanceCapacity", message: "no capacity" }] : [];
		return { instanceIds, errors };
	}

	/** EC2's bucket of changing calls: 50, and 5 a second (FACTS 4.1). */
	let tokens = 50;
	let filledAt = clock.now();
	function change(name: string): void {
		tokens = Math.min(50, tokens + ((clock.now() - filledAt) / 1000) * 5) - 1;
		filledAt = clock.now();
		if (tokens < 0) broken(`${name} is more than EC2's bucket of changing calls holds`);
	}

	/** A call that goes wrong before or after its effect, or not at all. */
	async function call<T>(name: string, effect: () => T): Promise<T> {
		if (name === "CreateFleet" || name === "TerminateInstances") change(name);
		await travel(setting, 20, 200);
		const fault = dice.chance(faults.now.ec2Fails) ? dice.below(3) : null;
		if (fault === 0) throw new Ec2Error(name, "RequestLimitExceeded", 503, "simulated");
		if (fault === 1) throw new Ec2Error(name, "InternalError", 500, "simulated");
		const result = effect();
		await travel(setting, 20, name === "CreateFleet" ? 2000 : 200);
		if (fault === 2) throw new Ec2Error(name, "TimeoutError", null, "simulated");
		return result;
	}

	const isListed = ({ listedAt, endedAt }: Machine) => listedAt <= clock.now() && (endedAt === null || clock.now() - endedAt < LISTED);
	const listed = () => {
		for (const machine of recent) if (machine.endedAt !== null && clock.now() - machine.endedAt >= LISTED) recent.delete(machine);
		return [...recent].filter(isListed);
	};
	const named = (ids: string[]) => ids.flatMap((id) => machines.get(id) ?? []).filter(isListed);
	const copyOf = ({ instanceId, state, stateReason, privateIp, launchedAt, type, zone, market, tags }: Machine): Instance => {
		return { instanceId, state, stateReason, privateIp, launchedAt, type, zone, market, tags };
	};

	const port: Ec2 = {
		createFleet: (request) =>
			call("CreateFleet", () => {
				asked(request);
				fleets += 1;
				const token = request.ClientToken ?? "";
				const text = JSON.stringify(request);
				const before = answers.get(token);
				if (before && before.request !== text) throw new Ec2Error("CreateFleet", "IdempotentParameterMismatch", 400, "simulated");
				if (before) return before.answer;
				const answer = allocate(request);
				answers.set(token, { request: text, answer });
				return answer;
			}),
		instances: (ids) => call("DescribeInstances", () => named(ids).map(copyOf)),
		withTag: (name, values) =>
			call("DescribeInstances", () =>
				listed()
					.filter(({ tags }) => values.includes(tags[name] ?? ""))
					.map(copyOf),
			),
		terminate: (ids) =>
			call("TerminateInstances", () => {
				for (const id of ids) {
					tell("poller", `terminates ${id}`);
					const machine = machines.get(id);
					if (machine && machine.endedAt === null) terminated(machine);
					end(id, "Client.UserInitiatedShutdown");
				}
				return "ended" as const;
			}),
		/** For people: nothing that is simulated depends on it. */
		spotPrices: async (types) => types.map((type) => ({ type, zone: "zone-of-a", usdPerHour: 0.05 })),
		images: async () => [],
		tag: (id, tags) =>
			call("CreateTags", () => {
				const machine = machines.get(id);
				// New ones, since answers hold those that they were given.
				if (machine) machine.tags = { ...machine.tags, ...tags };
			}),
	};
	let terminated: (machine: Machine) => void = () => undefined;
	let asked: (request: CreateFleetCommandInput) => void = () => undefined;
	return {
		port,
		machines,
		end,
		alive: () => [...recent].filter(({ endedAt }) => endedAt === null),
		fleets: () => fleets,
		/** Takes a share of its spot machines back at once. */
		takeBack(share: number): void {
			for (const { instanceId, market, endedAt } of recent)
				if (market === "spot" && endedAt === null && dice.chance(share)) end(instanceId, "Server.SpotInstanceTermination");
		},
		/** Told of every machine that the poller ends while it is alive. */
		onTerminate(told: (machine: Machine) => void): void {
			terminated = told;
		},
		/** Told of every fleet that is asked for. */
		onFleet(told: (request: CreateFleetCommandInput) => void): void {
			asked = told;
		},
	};
}
