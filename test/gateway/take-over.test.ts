// Whatever fails, every zone soon has a gateway that works, and gateways do not fight over zones: by a simulated clock, with seeds.
import { describe, expect, test } from "bun:test";
import { createDice, type Dice } from "../dice.ts";
import { createZones, type Machine, type Zones } from "./zones.ts";

const SETTLED_MS = 30_000;
/** No gateway waits longer before it takes its zone home. */
const HOME_MS = 610_000;
const SEEDS = Number(process.env.MAYFLY_GATEWAY_SEEDS ?? 400);

/** One thing that goes wrong or right. */
function change(world: Zones, dice: Dice): void {
	const machine = dice.pick(world.machines.filter(({ isRunning }) => isRunning)) as Machine | undefined;
	if (machine === undefined || dice.below(8) === 0) {
		// A machine is replaced by a newer one, before the old one goes or after.
		const zone = machine?.zone ?? dice.pick(world.machines.map((one) => one.zone)) ?? "a";
		world.add(zone);
		if (machine && dice.below(2) === 0) machine.isRunning = false;
		return;
	}
	const what = dice.pick(["proxies", "proxies", "steps", "hasWayOut", "isRunning"] as const) ?? "proxies";
	machine[what] = !machine[what];
	// A machine that slept goes on with what it last saw.
	if (what === "steps" && machine.steps) machine.stepsAt = world.now() + 10;
}

function worldOf(seed: number) {
	const dice = createDice(seed);
	const zones = ["a", "b", "c"].slice(0, dice.pick([2, 3]));
	return { dice, zones, world: createZones(zones, dice) };
}

function steady(zones: string[]) {
	const world = createZones(zones, createDice(7));
	world.run(30_000);
	return world;
}

describe("gateways of a stack", () => {
	test(`within 30 s of the last change every zone is led to one that works, and then nothing moves but home, once (${SEEDS} seeds)`, () => {
		for (let seed = 1; seed <= SEEDS; seed++) {
			const { dice, zones, world } = worldOf(seed);
			world.run(dice.below(60_000));
			const changes = 1 + dice.below(8);
			for (let at = 0; at < changes; at++) {
				change(world, dice);
				world.run(dice.below(dice.pick([1000, 4000, 10_000, 40_000]) ?? 0));
				// No more than one taking and one coming home for each change and zone.
				expect([seed, world.moves.length <= (at + 1) * zones.length * 2]).toEqual([seed, true]);
			}
			world.run(SETTLED_MS);
			if (!world.isAbleTo()) continue;
			expect([seed, world.astray()]).toEqual([seed, []]);
			const settled = world.moves.length;
			world.run(HOME_MS);
			const late = world.moves.slice(settled);
			expect([seed, late.filter(({ reason }) => reason !== "back home: its own gateway is well again")]).toEqual([seed, []]);
			expect([seed, new Set(late.map(({ zone }) => zone)).size]).toEqual([seed, late.length]);
			const before = world.moves.length;
			world.run(600_000);
			expect([seed, world.moves.slice(before)]).toEqual([seed, []]);
			expect([seed, world.astray()]).toEqual([seed, []]);
		}
	});

	test("that fall over and over come home ever more rarely, so that the zone is seldom without one", () => {
		for (let seed = 1; seed <= SEEDS / 20; seed++) {
			const { dice, world } = worldOf(seed);
			world.run(30_000);
			const falling = world.machines[1] as Machine;
			const [wellMs, downMs] = [11_000 + dice.below(180_000), 7000 + dice.below(40_000)];
			let [seconds, astray] = [0, 0];
			const forSeconds = (count: number) => {
				for (let second = 0; second < count; second++, seconds++) {
					world.run(1000);
					if (world.astray().length > 0) astray++;
				}
			};
			while (seconds < 7200) {
				falling.proxies = false;
				forSeconds(downMs / 1000);
				falling.proxies = true;
				forSeconds(wellMs / 1000);
			}
			// It comes home after 10 s, then 20, 40 and so on, as long as it is well for that long.
			const homes = 1 + Math.ceil(Math.log2(wellMs / 10_000));
			expect([seed, world.moves.length <= 2 * homes]).toEqual([seed, true]);
			expect([seed, astray / seconds < 0.02]).toEqual([seed, true]);
			world.run(HOME_MS);
			expect([seed, world.routes[falling.zone], world.astray()]).toEqual([seed, falling.instanceId, []]);
		}
	});

	test("that fell and then were well for half an hour come home within seconds again", () => {
		const world = steady(["a", "b"]);
		const falling = world.machines[1] as Machine;
		const fall = () => {
			falling.proxies = false;
			world.run(12_000);
			falling.proxies = true;
			world.run(20_000);
			return world.routes.b === falling.instanceId;
		};
		expect([fall(), fall(), fall()]).toEqual([true, false, false]);
		world.run(1_900_000);
		expect([world.routes.b, fall(), fall()]).toEqual([falling.instanceId, true, false]);
	});

	test("take their zone home after ten seconds, however often they fell, where it is led to none that lives", () => {
		const world = steady(["a", "b"]);
		const [other, falling] = world.machines as [Machine, Machine];
		for (let fall = 0; fall < 6; fall++) {
			falling.proxies = false;
			world.run(10_000);
			falling.proxies = true;
			world.run(4000);
		}
		expect(world.routes.b).toBe(other.instanceId);
		other.proxies = false;
		world.run(SETTLED_MS);
		expect(world.astray()).toEqual([]);
	});

	test("that cannot reach each other leave each other alone, but for a try that becomes rarer", () => {
		for (let seed = 1; seed <= SEEDS / 20; seed++) {
			const { zones, world } = worldOf(seed);
			world.run(30_000);
			for (const one of world.machines) for (const other of world.machines) if (one !== other) world.cut(one, other);
			world.run(SETTLED_MS);
			expect([seed, world.astray()]).toEqual([seed, []]);
			world.run(3_600_000);
			// A few in the first minutes, then after 5, 15 and 35.
			expect([seed, world.moves.length <= zones.length * (zones.length - 1) * 2 * 5]).toEqual([seed, true]);
			world.mend();
			world.run(SETTLED_MS);
			const before = world.moves.length;
			world.run(7_200_000);
			expect([seed, world.moves.slice(before), world.astray()]).toEqual([seed, [], []]);
		}
	});

	test("move nothing while all are well", () => {
		const world = steady(["a", "b", "c"]);
		world.run(3_600_000);
		expect(world.moves).toEqual([]);
	});

	test("are taken over by the next in the ring, and take their zone home once they are well for ten seconds", () => {
		const world = steady(["a", "b", "c"]);
		const lost = world.machines[1] as Machine;
		lost.proxies = false;
		world.run(12_000);
		expect(world.moves.map(({ zone, by, reason }) => [zone, by, reason])).toEqual([
			["b", "i-c3", "taken over: i-b2 did not answer 3 times"],
		]);
		lost.proxies = true;
		const at = world.now();
		world.run(30_000);
		expect(world.moves.slice(1)).toMatchObject([{ zone: "b", by: "i-b2", reason: "back home: its own gateway is well again" }]);
		expect((world.moves[1]?.at ?? 0) - at).toBeGreaterThanOrEqual(9000);
	});

	test("without a way out of their own take nothing: the one after them does", () => {
		const world = steady(["a", "b", "c"]);
		const [, lost, next] = world.machines as [Machine, Machine, Machine];
		lost.isRunning = false;
		next.hasWayOut = false;
		world.run(SETTLED_MS);
		expect(world.moves).toMatchObject([{ zone: "b", by: "i-a1" }]);
	});

	test("that all fail move nothing, and nobody takes a zone for a failure of its own", () => {
		const world = steady(["a", "b"]);
		const [one, other] = world.machines as [Machine, Machine];
		[one.proxies, other.hasWayOut, other.proxies] = [false, false, false];
		world.run(600_000);
		expect(world.moves).toEqual([]);
	});

	test("that are replaced hand their zone to the newer one, once", () => {
		const world = steady(["a", "b"]);
		const newer = world.add("a");
		world.run(60_000);
		expect(world.moves).toMatchObject([{ zone: "a", by: newer.instanceId }]);
		(world.machines[0] as Machine).isRunning = false;
		world.run(60_000);
		expect(world.moves).toHaveLength(1);
	});
});
