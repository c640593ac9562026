// The plan of addresses is made twice: by CloudFormation here, and by egress/plan.ts for the gateways' lists. They must not differ.
import { describe, expect, test } from "bun:test";
import { subnetPlan } from "../../egress/plan.ts";
import { type Found, renderStack, resourcesOf } from "./stack.ts";

const TIERS = ["build", "deploy", "nightly", "gpu", "docs"];
const CIDRS = ["10.77.0.0/16", "10.77.128.0/17", "172.16.64.0/18", "192.168.32.0/19", "100.64.16.0/20"];
const cases = CIDRS.flatMap((cidr) => [1, 2, 3].map((zones): [string, number] => [cidr, zones]));

const cidrsOf = (resources: Found[], name: RegExp) =>
	resources
		.filter((resource) => resource.Type === "AWS::EC2::Subnet" && name.test(resource.name))
		.map(({ properties }) => properties.CidrBlock);

describe("the addresses of subnets", () => {
	test.each(cases)("are those of the plan: %s in %i zones", (cidr, zones) => {
		const planned = subnetPlan(cidr, zones, TIERS.length);
		if (!planned.ok) throw new Error(planned.reason);
		const resources = resourcesOf(renderStack({ Cidr: cidr, Zones: zones }, { tiers: TIERS }));
		expect(cidrsOf(resources, /GatewaySubnet/)).toEqual(planned.plan.gateways);
		expect(cidrsOf(resources, /PollerSubnet/)).toEqual(planned.plan.pollers);
		const places = ["TierOne", "TierTwo", "TierThree", "TierFour", "TierFive"];
		expect(places.map((place) => cidrsOf(resources, new RegExp(`^${place}-`)))).toEqual(planned.plan.tiers);
	});

	test("are in the zone that is said of them, behind that zone's gateway", () => {
		const resources = resourcesOf(renderStack({ Zones: 3 }, { tiers: TIERS }));
		const zoneOf = (name: string) => resources.find((resource) => resource.name === name)?.properties.AvailabilityZone;
		const tables = resources.filter(
			({ Type, properties }) => Type === "AWS::EC2::SubnetRouteTableAssociation" && !/Public/.test(String(properties.RouteTableId)),
		);
		expect(tables).toHaveLength(3 + 3 * TIERS.length);
		for (const { properties } of tables) {
			const zone = String(properties.RouteTableId).slice(-1);
			expect(zoneOf(String(properties.SubnetId))).toBe(`eu-west-1${zone.toLowerCase()}`);
		}
	});
});
