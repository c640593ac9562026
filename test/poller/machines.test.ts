// Which machines are asked for, as tables: groups and requests. offer.test.ts has the offers.
import { describe, expect, test } from "bun:test";
import { INSTANCE_TYPES } from "../../poller/instance-types.ts";
import { intentTokenOf, launchCallsOf, launchIntent, launchToken } from "../../poller/launch-request.ts";
import { offerFor } from "../../poller/offer.ts";
import { type Candidate, type Group, planLaunches } from "../../poller/plan.ts";
import { candidate, config, groupsOf } from "./facts.ts";
import { parseIntent } from "./intent.ts";

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
	const intentOf = (...candidates: Candidate[]) => intentBy(config, ...candidates);
	const intentBy = (by: typeof config, ...candidates: Candidate[]) => {
		const [group] = groupsOf(...candidates);
		const offer = offerFor(
			candidates[0]?.admitted.request as Candidate["admitted"]["request"],
			INSTANCE_TYPES,
			config.infrastructure.subnets,
		);
		if (!group || !offer.ok) throw new Error("no group");
		return launchIntent(group, offer, by);
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
	test("a tier whose machines have a role starts them from launch templates of its own, any other from those of all", () => {
		const own = { x64: { id: "lt-role-x64", version: "7" }, arm64: { id: "lt-role-arm64", version: "7" } };
		const startedBy = (tier: string) => {
			const by = { ...config, infrastructure: { ...config.infrastructure, tierLaunchTemplates: { [tier]: own } } };
			const { first, fallback } = launchCallsOf(intentBy(by, candidate(1))) ?? {};
			return [first, fallback].map((call) => call?.LaunchTemplateConfigs?.[0]?.LaunchTemplateSpecification);
		};
		const theirs = { LaunchTemplateId: "lt-role-x64", Version: "7" };
		expect(startedBy("build")).toEqual([theirs, theirs]);
		const { id, version } = config.infrastructure.launchTemplates.x64;
		for (const tier of ["deploy", "constructor"])
			expect(startedBy(tier)).toEqual(Array(2).fill({ LaunchTemplateId: id, Version: version }));
	});
	test("a machine can be found by its tags", () => {
		const { first } = launchCallsOf(intentOf(candidate(1))) ?? {};
		const tags = Object.fromEntries(first?.TagSpecifications?.[0]?.Tags?.map(({ Key, Value }) => [Key, Value]) ?? []);
		expect(tags).toEqual({
			...{ "mayfly:stack": "test", "mayfly:token": first?.ClientToken, "mayfly:repository": "octo-org/octo-repo" },
			...{ "mayfly:installation": "5", "mayfly:attempt": "1", "mayfly:tier": "build" },
			// Ten minutes to boot and six hours for its job.
			"mayfly:limit": "22200",
		});
	});
});
