// The gateways as EC2 starts them, and what they are told.
import { describe, expect, test } from "bun:test";
import { readConfig } from "../../gateway/config.ts";
import { type Stack, stackOf } from "./stack.ts";
import { readTemplate, render } from "./template.ts";

describe("the gateways", () => {
	const told = (made: Stack, zone: string) =>
		Object.fromEntries(
			String(made.get(`Egress-Gateway${zone}`).UserData)
				.trimEnd()
				.split("\n")
				.map((line) => line.split(/=(.*)/).slice(0, 2)),
		) as Record<string, string>;

	test.each([1, 2, 3])("are one in each of %i zones, told of each zone's route table", (zones) => {
		const made = stackOf({ Zones: zones });
		const all = ["A", "B", "C"].slice(0, zones);
		expect(made.names("EC2::Instance")).toEqual(all.map((zone) => `Egress-Gateway${zone}`));
		for (const zone of all)
			expect(told(made, zone)).toEqual({
				MAYFLY_STACK: "mayfly",
				MAYFLY_REGION: "eu-west-1",
				MAYFLY_MAILBOX_URL: "https://Mailbox-Bucket.s3.eu-west-1.amazonaws.com",
				MAYFLY_ZONE: `eu-west-1${zone.toLowerCase()}`,
				MAYFLY_ROUTE_TABLES: all.map((each) => `eu-west-1${each.toLowerCase()}=Network-Routes${each}`).join(","),
				MAYFLY_LOG_GROUP: "Egress-ProxyLogGroup",
			});
	});

	test("read what they are told", () => {
		const given = {
			...{ Stack: "prod", Vpc: "vpc-0a", Zones: 2, GatewaySubnets: "subnet-0a,subnet-0b", GatewayGroup: "sg-0a", Image: "ami-0a" },
			...{ RouteTables: "rtb-0aa,rtb-0bb", MailboxBucket: "prod-mailbox", InstanceType: "t4g.small", Mode: "enforce", DnsFirewall: "on" },
		};
		const { resources } = render(readTemplate("egress"), given);
		const read = readConfig(String(resources.GatewayB?.Properties?.UserData), {});
		if (!read.ok) throw new Error(read.problems.join("; "));
		expect(read.config).toMatchObject({
			...{ stack: "prod", region: "eu-west-1", zone: "eu-west-1b", ownLogGroup: "/mayfly/prod/gateway" },
			routeTables: { "eu-west-1a": "rtb-0aa", "eu-west-1b": "rtb-0bb" },
			mailboxUrl: "https://prod-mailbox.s3.eu-west-1.amazonaws.com",
		});
	});

	test("take what is addressed to others, and carry a tag of their own instead of the machines'", () => {
		const { get } = stackOf();
		expect(get("Egress-GatewayA")).toMatchObject({ SourceDestCheck: false, PropagateTagsToVolumeOnCreation: true });
		const tags = get("Egress-GatewayA").Tags as { Key: string; Value: string }[];
		expect(tags.map(({ Key }) => Key)).toEqual(["Name", "mayfly:gateway", "mayfly:zone"]);
	});

	test("are replaced one after the other", () => {
		const waitsFor = (zone: string) => stackOf({ Zones: 3 }).stacks.Egress?.resources[`Gateway${zone}`]?.DependsOn;
		expect(waitsFor("A")).toBeUndefined();
		expect(waitsFor("B")).toContain("DefaultA");
		expect(waitsFor("C")).toContain("DefaultB");
	});

	test("ask no more than two questions of others: the lists' hosts, and whether another is well", () => {
		const { get } = stackOf();
		const health = get("Network-GatewayHealth");
		expect(health).toMatchObject({ FromPort: 3128, ToPort: 3128, SourceSecurityGroupId: "Network-GatewayGroup.GroupId" });
		expect((get("Network-GatewayGroup").SecurityGroupIngress as { FromPort: number }[]).map(({ FromPort }) => FromPort)).toEqual([443, 80]);
	});
});
