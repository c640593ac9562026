// What machines are said to cost: from the table, from EC2's spot prices, and through the real bundle.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Ec2Error } from "../../poller/ec2.ts";
import { INSTANCE_TYPES } from "../../poller/instance-types.ts";
import type { Log, Prices, SpotPrice } from "../../poller/ports.ts";
import table from "../../poller/prices.json";
import { createPrices, listPrice } from "../../poller/prices.ts";
import { startWorld, type World } from "./poller-world.ts";

setDefaultTimeout(30_000);

describe("list prices", () => {
	test("us-east-1 has the table's own price, another region its factor of it", () => {
		expect(listPrice("m7i.large", "us-east-1")).toBe(0.1008);
		expect(listPrice("m7i.large", "eu-west-1")).toBe(0.112594);
	});

	test("what the table does not know has no price", () => {
		expect(listPrice("z9.large", "us-east-1")).toBeNull();
		expect(listPrice("m7i.large", "mars-north-1")).toBeNull();
	});

	test("nearly every type that may be launched has one, and none is free or beyond the contract's most", () => {
		const prices = INSTANCE_TYPES.flatMap(({ name }) => listPrice(name, "us-east-1") ?? []);
		expect(prices.length / INSTANCE_TYPES.length).toBeGreaterThan(0.95);
		expect(Math.min(...prices)).toBeGreaterThan(0.01);
		expect(Math.max(...prices)).toBeLessThan(100);
	});

	test("factors lie where regions' prices lie", () => {
		const { "us-east-1": home, ...others } = table.factors;
		expect(home).toBe(1);
		for (const factor of Object.values(others)) expect(factor > 0.9 && factor < 1.7).toBe(true);
	});
});

describe("spot prices", () => {
	const SPOT = { type: "m7i.large", zone: "eu-west-1a", market: "spot" as const };

	function pricesWith(answer: (types: readonly string[]) => Promise<SpotPrice[]>) {
		const asked: string[][] = [];
		const warned: string[] = [];
		const log: Log = { debug: () => {}, info: () => {}, error: () => {}, warn: (_, message) => void warned.push(message) };
		const clock = { now: 0 };
		const spotPrices = (types: readonly string[]) => {
			asked.push([...types]);
			return answer(types);
		};
		const prices: Prices = createPrices({ ec2: { spotPrices }, region: "eu-west-1", log, now: () => clock.now });
		return { prices, asked, warned, clock };
	}
	const at = (usdPerHour: number): SpotPrice => ({ type: SPOT.type, zone: SPOT.zone, usdPerHour });

	test("a type is asked for once an hour, and is unknown until EC2 has answered", async () => {
		const { prices, asked, clock } = pricesWith(async () => [at(0.04)]);
		prices.expect(["m7i.large", "m7a.large"]);
		expect(prices.usdPerHour(SPOT)).toBeNull();
		await Bun.sleep(0);
		prices.expect(["m7i.large", "c7i.large"]);
		expect(prices.usdPerHour(SPOT)).toBe(0.04);
		clock.now = 3_600_000;
		prices.expect(["m7i.large"]);
		expect(asked).toEqual([["m7i.large", "m7a.large"], ["c7i.large"], ["m7i.large"]]);
	});

	test("the newest price of a history is taken, and it is that zone's alone", async () => {
		const { prices } = pricesWith(async () => [at(0.05), at(0.04)]);
		prices.expect(["m7i.large"]);
		await Bun.sleep(0);
		expect(prices.usdPerHour(SPOT)).toBe(0.05);
		expect(prices.usdPerHour({ ...SPOT, zone: "eu-west-1b" })).toBeNull();
	});

	test("a role that may not ask is warned of, asked again after five minutes, and costs no list price", async () => {
		const { prices, asked, warned, clock } = pricesWith(async () => {
			throw new Ec2Error("DescribeSpotPriceHistory", "UnauthorizedOperation", 403, "no");
		});
		prices.expect(["m7i.large"]);
		await Bun.sleep(0);
		prices.expect(["m7i.large"]);
		expect([asked.length, warned]).toEqual([1, ["no spot prices"]]);
		expect(prices.usdPerHour({ ...SPOT, market: "on-demand" })).toBe(0.112594);
		clock.now = 300_000;
		prices.expect(["m7i.large"]);
		expect(asked.length).toBe(2);
	});
});

describe("in the real bundle", () => {
	let world: World;
	afterEach(() => world.stop());

	test("a spot machine is settled with the price of its zone, an on-demand one with the list's, and no call waits for it", async () => {
		world = await startWorld();
		const [spot] = world.queue({ runsOn: ["mayfly=1/runner=small"] });
		const [plain] = world.queue({ runsOn: ["mayfly=2/runner=small/spot=false"] });
		if (!spot || !plain) throw new Error("nothing is queued");
		// The first launch is not held up by its price: the second one finds it known.
		world.relay.push(spot);
		await world.relay.ends(spot.workId);
		const [again] = world.queue({ runsOn: ["mayfly=3/runner=small"] });
		if (!again) throw new Error("nothing is queued");
		world.relay.push(again, plain);
		const [second, onDemand] = await world.relay.ends(again.workId, plain.workId);
		if (second?.outcome !== "launched" || onDemand?.outcome !== "launched") throw new Error("not launched");
		expect(second).toMatchObject({ market: "spot" });
		expect(second.usdPerHour).toBeCloseTo(0.4 * (listPrice(second.type, "us-east-1") ?? Number.NaN), 6);
		expect(onDemand).toMatchObject({ market: "on-demand", usdPerHour: listPrice(onDemand.type, "eu-west-1") });
		expect(world.ec2.calls().filter(({ action }) => action === "DescribeSpotPriceHistory")).toHaveLength(1);
		expect(world.problems).toEqual([]);
	});

	test("a launch goes on without its price while EC2 does not answer that call", async () => {
		world = await startWorld();
		world.ec2.faults.latencyMs.DescribeSpotPriceHistory = 60_000;
		const [item] = world.queue({ runsOn: ["mayfly=1/runner=small"] });
		if (!item) throw new Error("nothing is queued");
		world.relay.push(item);
		expect(await world.relay.ends(item.workId)).toMatchObject([{ outcome: "launched", market: "spot", usdPerHour: null }]);
	});
});
