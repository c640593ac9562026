// Where the subnets of a stack lie, whatever its range, zones and tiers.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { cidrText, isWithin, overlap, readCidr } from "../../contract/cidr.ts";
import { subnetPlan } from "../../egress/plan.ts";
import "../seed.ts";

const ranges = fc
	.record({
		prefix: fc.integer({ min: 16, max: 20 }),
		within: fc.constantFrom("10.0.0.0/8", "172.16.0.0/12", "100.64.0.0/10"),
		at: fc.nat(),
	})
	.map(({ prefix, within, at }) => {
		const outer = readCidr(within) ?? { first: 0, size: 0 };
		const size = 2 ** (32 - prefix);
		return cidrText({ first: outer.first + (at % (outer.size / size)) * size, size });
	});
const counts = fc.record({ zones: fc.integer({ min: 1, max: 3 }), tiers: fc.integer({ min: 1, max: 5 }) });

function planOf(cidr: string, zones: number, tiers: number) {
	const planned = subnetPlan(cidr, zones, tiers);
	if (!planned.ok) throw new Error(planned.reason);
	return planned.plan;
}
const read = (text: string) => readCidr(text) ?? { first: Number.NaN, size: Number.NaN };

describe("the plan of a stack's subnets", () => {
	test("has one for each zone's gateway and poller and each tier, all within the range, none over another", () => {
		fc.assert(
			fc.property(ranges, counts, (cidr, { zones, tiers }) => {
				const plan = planOf(cidr, zones, tiers);
				const all = [...plan.gateways, ...plan.pollers, ...plan.tiers.flat()];
				expect(all).toHaveLength(zones * (2 + tiers));
				expect(plan.tiers.map((its) => its.length)).toEqual(Array(tiers).fill(zones));
				for (const [at, subnet] of all.entries()) {
					expect(isWithin(read(subnet), read(cidr))).toBe(true);
					for (const other of all.slice(at + 1))
						expect([subnet, other, overlap(read(subnet), read(other))]).toEqual([subnet, other, false]);
				}
			}),
		);
	});

	test("has subnets that EC2 takes (/16 to /28), a sixteenth of the range for each tier and zone", () => {
		fc.assert(
			fc.property(ranges, counts, (cidr, { zones, tiers }) => {
				const plan = planOf(cidr, zones, tiers);
				for (const subnet of plan.tiers.flat()) expect(read(subnet).size).toBe(read(cidr).size / 16);
				for (const subnet of [...plan.gateways, ...plan.pollers]) {
					expect(read(subnet).size).toBe(read(cidr).size / 128);
					expect(read(subnet).size).toBeGreaterThanOrEqual(2 ** 4);
				}
			}),
		);
	});

	test("moves no subnet when a zone or a tier is added", () => {
		fc.assert(
			fc.property(ranges, counts, (cidr, { zones, tiers }) => {
				const [some, most] = [planOf(cidr, zones, tiers), planOf(cidr, 3, 5)];
				expect(most.gateways.slice(0, zones)).toEqual(some.gateways);
				expect(most.pollers.slice(0, zones)).toEqual(some.pollers);
				expect(most.tiers.slice(0, tiers).map((its) => its.slice(0, zones))).toEqual(some.tiers);
			}),
		);
	});

	test("of 10.77.0.0/16 with two zones and two tiers is this", () => {
		expect(planOf("10.77.0.0/16", 2, 2)).toEqual({
			gateways: ["10.77.0.0/23", "10.77.2.0/23"],
			pollers: ["10.77.6.0/23", "10.77.8.0/23"],
			tiers: [
				["10.77.16.0/20", "10.77.32.0/20"],
				["10.77.64.0/20", "10.77.80.0/20"],
			],
		});
	});

	test.each([
		["10.77.0.0/15", 2, 1, "is no IPv4 range"],
		["10.76.0.0/15", 2, 1, "from /16 to /20"],
		["10.77.0.0/21", 2, 1, "from /16 to /20"],
		["10.77.1.0/16", 2, 1, "is no IPv4 range"],
		["10.77.0.0", 2, 1, "is no IPv4 range"],
		["10.256.0.0/16", 2, 1, "is no IPv4 range"],
		["8.8.0.0/16", 2, 1, "is not private"],
		["10.77.0.0/16", 4, 1, "4 zones"],
		["10.77.0.0/16", 0, 1, "0 zones"],
		["10.77.0.0/16", 2, 6, "6 tiers"],
		["10.77.0.0/16", 2, 1.5, "1.5 tiers"],
	])("for %p, %p zones and %p tiers there is none, and why", (cidr, zones, tiers, reason) => {
		const planned = subnetPlan(cidr, zones, tiers);
		expect(planned.ok ? "planned" : planned.reason).toContain(reason);
	});
});

describe("a range", () => {
	test("is read and written the same", () => {
		fc.assert(fc.property(ranges, (text) => expect(cidrText(read(text))).toBe(text)));
		for (const text of ["0.0.0.0/0", "255.255.255.255/32", "128.0.0.0/1"]) expect(cidrText(read(text))).toBe(text);
	});

	test.each(["", "10.0.0.0/33", "010.0.0.0/8", "10.0.0.0/08", "10.0.0/8", "fd00::/8", "10.0.0.0/8 ", "10.0.0.1/8"])(
		"%p is none",
		(text) => {
			expect(readCidr(text)).toBeNull();
		},
	);
});
