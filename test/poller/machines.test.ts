// Which machines are asked for, as tables: offers, groups, requests.
import { describe, expect, test } from "bun:test";
import { findInstanceType } from "../../local/ec2/instance-types.ts";
import { INSTANCE_TYPES } from "../../poller/instance-types.ts";
import { intentTokenOf, launchCallsOf, launchIntent, launchToken } from "../../poller/launch-request.ts";
import { offerFor } from "../../poller/offer.ts";
import { type Candidate, type Group, planLaunches } from "../../poller/plan.ts";
import { candidate, config, groupsOf } from "./facts.ts";
import { parseIntent } from "./intent.ts";

describe("offer", () => {
	const types = (label: string) => {
		const { request } = candidate(1, { labels: [label] }).admitted;
		const offer = offerFor(request, INSTANCE_TYPES, config.infrastructure.subnets);
		return offer.ok ? offer.types.map(({ name }) => name) : offer.reason;
	};
	test("a preset is offered in its size across families, the newest first", () => {
		expect(types("mayfly=1/runner=small").slice(0, 4)).toEqual(["c8i.large", "c7a.large", "c7i.large", "c6a.large"]);
		expect(types("mayfly=1/runner=small")).toContain("m5.large");
	});
	test.each([
		["mayfly=1/cpu=2/family=m7i", ["m7i.large"]],
		["mayfly=1/cpu=2+4/family=m7i.*", ["m7i.large", "m7i.xlarge"]],
		["mayfly=1/cpu=4/family=c7i+m7i.xlarge", ["c7i.xlarge", "m7i.xlarge"]],
		["mayfly=1/cpu=2/family=r8g/arch=arm64", ["r8g.large"]],
		["mayfly=1/cpu=1/arch=arm64/ram=4", ["m8g.medium", "m7g.medium", "m6g.medium"]],
		["mayfly=1/cpu=2/family=m*/ram=8/arch=arm64", ["m8g.large", "m7g.large", "m6g.large"]],
		["mayfly=1/cpu=2/family=m8g", "No instance type that is known here has 2 vCPUs, x64, family m8g."],
		["mayfly=1/cpu=7", "No instance type that is known here has 7 vCPUs, x64."],
		["mayfly=1/cpu=8+9/ram=1+2", "No instance type that is known here has 8 to 9 vCPUs, 1 to 2 GiB, x64."],
	])("%s is offered as %p", (label, expected) => {
		expect(types(label)).toEqual(expected);
	});

	test("one subnet of each zone is offered, and never more pools than a fleet takes", () => {
		const subnets = Array.from({ length: 20 }, (_, at) => ({ id: `subnet-${at}`, zone: `zone-${at % 9}` }));
		const offer = offerFor(candidate(1, { labels: ["mayfly=1/cpu=1+64"] }).admitted.request, INSTANCE_TYPES, subnets);
		if (!offer.ok) throw new Error(offer.reason);
		expect(offer.subnets).toHaveLength(9);
		expect(offer.types.length * offer.subnets.length).toBeLessThanOrEqual(300);
	});

	test("the table agrees with what the stand-in of EC2 offers", () => {
		for (const { name, cpu, ram, arch } of INSTANCE_TYPES) {
			const known = findInstanceType(name);
			expect([name, known?.vcpus, known?.memoryMiB, known?.architecture]).toEqual([
				name,
				cpu,
				ram * 1024,
				arch === "x64" ? "x86_64" : arch,
			]);
		}
	});
});

describe("plan", () => {
	test("jobs alike are one group, in the order of their ids", () => {
		const [group, ...rest] = groupsOf(candidate(9), candidate(3), candidate(5));
		expect(group?.members.map(({ item }) => item.job.id)).toEqual([3, 5, 9]);
		expect(rest).toEqual([]);
	});
	test.each([
		["another size", { labels: ["mayfly=1/cpu=4"] }],
		["another attempt", { attempt: 2 }],
		["another trust", { run: { headRepository: "eve/octo-repo" } }],
		["another repository", { run: { repository: "octo-org/other", headRepository: "octo-org/other" } }],
		["another market", { spot: false }],
	])("%s is another group", (_, more) => {
		expect(groupsOf(candidate(1), candidate(2, more))).toHaveLength(2);
	});
	test("the same machine by another name is the same group", () => {
		expect(groupsOf(candidate(1), candidate(2, { labels: ["self-hosted", "linux"] }))).toHaveLength(1);
	});
	test("an intent is never regrouped, and no group has more than a hundred members", () => {
		const intent = { token: "t", members: [1, 2], request: {} };
		const replayed = [candidate(1), candidate(2)].map((it) => ({ ...it, item: { ...it.item, intent } }));
		const plan = planLaunches([...replayed, ...Array.from({ length: 101 }, (_, at) => candidate(at + 10))]);
		expect(plan.replays.map(({ members }) => members.length)).toEqual([2]);
		expect(plan.groups.map(({ members }) => members.length)).toEqual([100, 1]);
	});
});

describe("launch request", () => {
	const intentOf = (...candidates: Candidate[]) => {
		const [group] = groupsOf(...candidates);
		const offer = offerFor(
			candidates[0]?.admitted.request as Candidate["admitted"]["request"],
			INSTANCE_TYPES,
			config.infrastructure.subnets,
		);
		if (!group || !offer.ok) throw new Error("no group");
		return launchIntent(group, offer, config);
	};
	test("the same jobs under the same leases give the same bytes, whatever their order", () => {
		const one = intentOf(candidate(1), candidate(2));
		expect(JSON.stringify(intentOf(candidate(2), candidate(1)))).toBe(JSON.stringify(one));
		expect(parseIntent(JSON.parse(JSON.stringify(one)))).toBe(true);
		expect(launchCallsOf(JSON.parse(JSON.stringify(one)))).toEqual(one.request as never);
	});
	test("another try has another token", () => {
		const [first, second] = [groupsOf(candidate(1)), groupsOf(candidate(1, { leaseId: "lease-again" }))];
		expect(launchToken(first[0] as Group)).not.toBe(launchToken(second[0] as Group));
	});
	test("spot asks for spot first and on-demand for the rest, each under its own token; on-demand asks once", () => {
		const { first, fallback } = launchCallsOf(intentOf(candidate(1), candidate(2))) ?? {};
		expect(first?.TargetCapacitySpecification).toEqual({ TotalTargetCapacity: 2, DefaultTargetCapacityType: "spot" });
		expect(first?.SpotOptions).toEqual({ AllocationStrategy: "price-capacity-optimized" });
		expect(fallback?.OnDemandOptions).toEqual({ AllocationStrategy: "prioritized" });
		expect(fallback?.ClientToken).toBe(`${first?.ClientToken}-od`);
		expect(intentTokenOf(fallback?.ClientToken ?? null)).toBe(first?.ClientToken ?? "");
		expect(fallback?.ClientToken?.length).toBeLessThanOrEqual(64);
		const once = launchCallsOf(intentOf(candidate(1, { spot: false })));
		expect([once?.first.TargetCapacitySpecification?.DefaultTargetCapacityType, once?.fallback]).toEqual(["on-demand", null]);
	});
	test("a machine can be found by its tags", () => {
		const { first } = launchCallsOf(intentOf(candidate(1))) ?? {};
		const tags = Object.fromEntries(first?.TagSpecifications?.[0]?.Tags?.map(({ Key, Value }) => [Key, Value]) ?? []);
		expect(tags).toEqual({
			...{ "mayfly:stack": "test", "mayfly:token": first?.ClientToken, "mayfly:repository": "octo-org/octo-repo" },
			...{ "mayfly:installation": "5", "mayfly:attempt": "1", "mayfly:tier": "build" },
		});
	});
});
