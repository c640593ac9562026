// What is offered for a request: tables of labels, and what must hold whatever the types, the request and the subnets are.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Subnet, Tier } from "../../contract/config.ts";
import { type MachineRequest, resolveLabels } from "../../contract/label.ts";
import { INSTANCE_TYPES, type InstanceType } from "../../poller/instance-types.ts";
import { byPreference, type Offer, offerFor, typesFor } from "../../poller/offer.ts";
import { candidate, config } from "./facts.ts";

const requestOf = (label: string) => candidate(1, { labels: [label] }).admitted.request;
const types = (label: string) => {
	const offer = offerFor(requestOf(label), INSTANCE_TYPES, config.infrastructure.subnets);
	return offer.ok ? offer.types.map(({ name }) => name) : offer.reason;
};

describe("labels", () => {
	test("a preset is offered in its size: the smallest first, of one size the newest generation, across families", () => {
		const offered = types("mayfly=1/runner=small");
		expect(offered.slice(0, 2)).toEqual(["c8a.large", "c8i.large"]);
		expect(offered).toEqual(expect.arrayContaining(["c7a.large", "c6i.large", "m8a.large", "m7i.large", "m6a.large"]));
	});
	test.each([
		["mayfly=1/cpu=2/family=m7i.*", ["m7i.large"]],
		["mayfly=1/cpu=2/family=m7i", ["m7i.large", "m7i-flex.large"]],
		["mayfly=1/cpu=2/family=m7i-flex", ["m7i-flex.large"]],
		["mayfly=1/cpu=2/family=*7i-flex", ["c7i-flex.large", "m7i-flex.large"]],
		["mayfly=1/cpu=2+4/family=m7i.*", ["m7i.large", "m7i.xlarge"]],
		["mayfly=1/cpu=4/family=c7i.*+m7i.xlarge", ["c7i.xlarge", "m7i.xlarge"]],
		["mayfly=1/cpu=2/family=c7", ["c7a.large", "c7i.large", "c7i-flex.large"]],
		["mayfly=1/cpu=2/family=r7g/arch=arm64", ["r7g.large", "r7gd.large"]],
		["mayfly=1/cpu=1/arch=arm64/ram=4/family=m8+m7", ["m8g", "m8gb", "m8gd", "m8gn", "m7g", "m7gd"].map((name) => `${name}.medium`)],
		["mayfly=1/cpu=2/family=t3.*", ["t3.small", "t3.medium", "t3.large"]],
		["mayfly=1/cpu=2/family=m*.large/ram=8/arch=arm64", types("mayfly=1/cpu=2/family=m/ram=8/arch=arm64")],
		["mayfly=1/cpu=2/family=m8g", "No instance type that is known here has 2 vCPUs, x64, family m8g."],
		["mayfly=1/cpu=7", "No instance type that is known here has 7 vCPUs, x64."],
		["mayfly=1/cpu=8+9/ram=1+2", "No instance type that is known here has 8 to 9 vCPUs, 1 to 2 GiB, x64."],
	])("%s is offered as %p", (label, expected) => {
		expect(types(label)).toEqual(expected);
	});
	test.each(["", "/ram=4+16", "/family=*", "/family=*.large", "/family=c*+m*.*large/ram=8"])(
		"a label with %p is not offered burstable types, nor -flex ones that it does not name",
		(more) => {
			const offered = types(`mayfly=1/cpu=2${more}`);
			expect(Array.isArray(offered) && offered.filter((name) => /^t/.test(name))).toEqual([]);
			if (!more.includes("c*")) expect(offered).not.toContain("c7i-flex.large");
		},
	);
	test("a tier's ceiling takes away what is over it, and lets in nothing that is not asked for", () => {
		const below = (cpu: number, ram: number) => {
			const allow = { ...config.tiers.build, allow: {}, freeForm: true, ceiling: { cpu, ram, volume: null } } as Tier;
			const reading = resolveLabels(["mayfly=1/cpu=2+8"], { ...config, tiers: { ...config.tiers, build: allow } });
			return reading.ok ? typesFor(reading.request, INSTANCE_TYPES) : [];
		};
		const usual = typesFor(requestOf("mayfly=1/cpu=2+8"), INSTANCE_TYPES);
		expect(below(8, 1024)).toEqual(usual);
		expect(below(8, 8)).toEqual(usual.filter(({ ram }) => ram <= 8));
		expect(below(4, 1024)).toEqual(usual.filter(({ cpu }) => cpu <= 4));
	});
	test("a pattern of many stars is matched at once: it comes from whoever writes a workflow", () => {
		const begun = performance.now();
		expect(types(`mayfly=1/cpu=2/family=${"*".repeat(200)}none`)).toContain("No instance type");
		expect(performance.now() - begun).toBeLessThan(1000);
	});
});

/** A size, a few letters and digits: so few that much is alike, and both variants and odd sizes occur. */
const size = fc.constantFrom(1, 2, 4, 8);
const type: fc.Arbitrary<InstanceType> = fc
	.record({ use: fc.constantFrom("c", "m", "r", "t", "i"), generation: fc.integer({ min: 5, max: 9 }) })
	.chain(({ use, generation }) =>
		fc
			.record({ maker: fc.constantFrom("a", "g", "i"), beside: fc.constantFrom("", "d", "n", "-flex"), cpu: size, perCpu: size })
			.map(({ maker, beside, cpu, perCpu }) => ({
				...{ family: `${use}${generation}${maker}${beside}`, name: `${use}${generation}${maker}${beside}.${cpu}x${perCpu}` },
				...{ arch: maker === "g" ? ("arm64" as const) : ("x64" as const), cpu, ram: cpu * perCpu, generation },
				...{ isPlain: ["c", "m", "r"].includes(use) && beside === "", isPartTime: use === "t" || beside === "-flex" },
			})),
	);
const made = fc.uniqueArray(type, { selector: ({ name }) => name, minLength: 1, maxLength: 120 });
const tables: fc.Arbitrary<InstanceType[]> = fc.oneof(made, fc.constant<InstanceType[]>([...INSTANCE_TYPES]));
const range = fc.tuple(size, size).map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }));
const pattern = fc.constantFrom("c", "m7", "m7i", "*", "*7*", "t8a", "*-flex", "r9g.*", "c*.*", "*.2x2", "*.2x", "m8i.2x4");
const requests: fc.Arbitrary<MachineRequest> = fc.record({
	...{ preset: fc.constant(null), tier: fc.constant("build"), image: fc.constant("i"), spot: fc.boolean() },
	mostRam: fc.option(fc.constantFrom(4, 8, 32)),
	...{ volume: fc.constant(null), retry: fc.boolean(), ssh: fc.boolean(), debug: fc.boolean(), tag: fc.constant(null) },
	...{ cpu: range, ram: fc.option(range.map(({ min, max }) => ({ min, max: max * 8 }))), arch: fc.constantFrom("x64", "arm64") },
	families: fc.oneof(fc.constant<string[]>([]), fc.array<string>(pattern, { maxLength: 3 })),
});
const subnet = (id: string, zone: string, tier: string | null = null): Subnet => ({ id, zone, tier });
const subnets = fc
	.array(fc.nat(40), { minLength: 1, maxLength: 60 })
	.map((zones) => zones.map((zone, at) => subnet(`subnet-${at}`, `zone-${zone}`)));

/** What the labels' grammar says, once more and by other means: letter by letter, no regular expression. */
function says(text: string, name: string): boolean {
	if (text === "") return name === "";
	if (text[0] === "*") return says(text.slice(1), name) || (name !== "" && says(text, name.slice(1)));
	return text[0] === name[0] && says(text.slice(1), name.slice(1));
}
function isAskedFor(found: InstanceType, { arch, cpu, ram, mostRam, families }: MachineRequest): boolean {
	const named = families.filter((text) => (text.includes(".") ? says(text, found.name) : says(`${text}*`, found.family)));
	const isNamed = found.isPartTime
		? named.some((text) => text[0] !== "*" || text.includes("flex"))
		: named.length > 0 || families.length === 0;
	const isSized = found.cpu >= cpu.min && found.cpu <= cpu.max && (!ram || (found.ram >= ram.min && found.ram <= ram.max));
	const isUsual = ram !== null || families.length > 0 || found.ram <= 4 * found.cpu;
	return found.arch === arch && isNamed && isSized && isUsual && (mostRam === null || found.ram <= mostRam);
}

describe("subnets", () => {
	const [ownA, ownB] = [subnet("own-a", "a", "build"), subnet("own-b", "b", "build")];
	const [anyA, anyC, closedA] = [subnet("any-a", "a"), subnet("any-c", "c"), subnet("closed-a", "a", "deploy")];
	const offered = (...all: Subnet[]) => {
		const offer = offerFor(requestOf("mayfly=1/runner=small"), INSTANCE_TYPES, all);
		return offer.ok ? offer.subnets.map(({ id }) => id) : offer.reason;
	};
	const NONE = "The stack has no subnet for machines of tier build.";
	test.each<[string, Subnet[], string[] | string]>([
		["those of its tier", [ownA, ownB], ["own-a", "own-b"]],
		["no other tier's, whatever comes first", [closedA, ownB], ["own-b"]],
		["those without a tier", [anyA, anyC], ["any-a", "any-c"]],
		["its tier's before one without a tier in the same zone", [anyA, anyC, ownA], ["own-a", "any-c"]],
		["of two in a zone the first", [ownA, subnet("own-a2", "a", "build")], ["own-a"]],
		["none where only another tier has any", [closedA], NONE],
		["none of a tier that is named alike", [subnet("x", "a", "Build"), subnet("y", "b", ""), subnet("z", "c", "build2")], NONE],
	])("a launch gets %s", (_, all, expected) => {
		expect(offered(...all)).toEqual(expected);
	});

	test("of any subnets, each zone that has one of the tier or of none gives one, and no other tier gives any", () => {
		const some = fc.array(fc.record({ zone: fc.constantFrom("a", "b", "c"), tier: fc.constantFrom("build", "deploy", "", null) }), {
			...{ minLength: 1, maxLength: 12 },
		});
		fc.assert(
			fc.property(some, (all) => {
				const known = all.map(({ zone, tier }, at) => subnet(`subnet-${at}`, zone, tier));
				const open = known.filter(({ tier }) => tier === "build" || tier === null);
				const offer = offerFor(requestOf("mayfly=1/runner=small"), INSTANCE_TYPES, known);
				const zones = [...new Set(open.map(({ zone }) => zone))].toSorted();
				expect(offer.ok ? offer.subnets.map(({ zone }) => zone).toSorted() : []).toEqual(zones);
				if (!offer.ok) return expect(offer.reason).toBe(NONE);
				for (const each of offer.subnets) {
					expect(open).toContain(each);
					const hasOwn = open.some(({ zone, tier }) => zone === each.zone && tier === "build");
					expect(each.tier).toBe(hasOwn ? "build" : null);
				}
			}),
		);
	});
});

describe("whatever is asked for", () => {
	const hold = (claim: (offer: Offer, all: InstanceType[], request: MachineRequest, zones: Subnet[]) => void) =>
		fc.assert(
			fc.property(tables, requests, subnets, (all, request, zones) => claim(offerFor(request, all, zones), all, request, zones)),
			{ numRuns: 500 },
		);

	test("what is offered satisfies the request, and if anything does, the offer is not empty", () =>
		hold((offer, all, request) => {
			expect(offer.ok).toBe(all.some((each) => isAskedFor(each, request)));
			if (!offer.ok) return;
			expect(offer.types.length).toBeGreaterThan(0);
			expect(offer.types.filter((each) => !isAskedFor(each, request))).toEqual([]);
		}));

	test("the smallest comes first, and of one size the newest generation", () =>
		hold((offer) => {
			if (!offer.ok) return;
			offer.types.slice(1).forEach((next, at) => {
				const previous = offer.types[at] as InstanceType;
				const isSame = previous.cpu === next.cpu && previous.ram === next.ram;
				expect(previous.cpu < next.cpu || (previous.cpu === next.cpu && previous.ram <= next.ram)).toBe(true);
				if (isSame) expect(previous.generation).toBeGreaterThanOrEqual(next.generation);
			});
		}));

	test("what is left out has no fewer vCPUs than anything offered, and is not plain while something as large that is not plain is offered", () =>
		hold((offer, all, request) => {
			if (!offer.ok) return;
			const leftOut = all.filter((each) => isAskedFor(each, request) && !offer.types.includes(each));
			for (const each of leftOut) {
				expect(each.cpu).toBeGreaterThanOrEqual(offer.types.at(-1)?.cpu ?? 0);
				if (each.isPlain) expect(offer.types.filter(({ cpu, isPlain }) => cpu === each.cpu && !isPlain)).toEqual([]);
			}
		}));

	test("there is one subnet for each zone, and no more than 300 pools and 20 types", () =>
		hold((offer, _, __, zones) => {
			if (!offer.ok) return;
			expect(offer.subnets.map(({ zone }) => zone).toSorted()).toEqual([...new Set(zones.map(({ zone }) => zone))].toSorted());
			expect(offer.types.length * offer.subnets.length).toBeLessThanOrEqual(300);
			expect(offer.types.length).toBeLessThanOrEqual(20);
		}));

	test("in more zones than there ever were there are fewer types, so that a fleet takes them", () => {
		const zones = Array.from({ length: 30 }, (_, at) => subnet(`subnet-${at}`, `zone-${at % 20}`));
		const offer = offerFor(requestOf("mayfly=1/cpu=1+64"), INSTANCE_TYPES, zones);
		expect(offer.ok && [offer.types.length, offer.subnets.length]).toEqual([15, 20]);
	});

	test("the order in which types are known does not matter", () =>
		fc.assert(
			fc.property(
				tables.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
				requests,
				subnets,
				([all, shuffled], request, zones) => expect(offerFor(request, shuffled, zones)).toEqual(offerFor(request, all, zones)),
			),
		));

	test("the order is total: of any two types of the table one is before the other", () =>
		fc.assert(
			fc.property(fc.shuffledSubarray([...INSTANCE_TYPES], { minLength: 3, maxLength: 3 }), ([a, b, c]) => {
				if (!a || !b || !c) return;
				expect(Math.sign(byPreference(a, b))).toBe(-Math.sign(byPreference(b, a)));
				if (byPreference(a, b) < 0 && byPreference(b, c) < 0) expect(byPreference(a, c)).toBeLessThan(0);
			}),
			{ numRuns: 2000 },
		));
});
