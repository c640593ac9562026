// What an operator chooses, and what is refused before anything is made.
import { describe, expect, test } from "bun:test";
import instanceTypes from "../../poller/instance-types.json" with { type: "json" };
import type { Json } from "./functions.ts";
import { refusals } from "./refusals.ts";
import { NEEDED } from "./stack.ts";
import { readTemplate } from "./template.ts";

const root = readTemplate("root");
const names = Object.keys(root.Parameters);
const { RelayUrl, AppId, SecretArn } = NEEDED;
const ASKED = { RelayUrl, AppId, SecretArn };
const refused = (given: Record<string, Json>) => refusals(root, { ...ASKED, ...given });
const VPC = { VpcId: "vpc-0a1b", InternetGatewayId: "igw-0a1b" };

describe("the parameters", () => {
	test("are at most twenty, and all but three have a value that works", () => {
		expect(names.length).toBeLessThanOrEqual(20);
		expect(names.filter((name) => root.Parameters[name]?.Default === undefined)).toEqual(["RelayUrl", "AppId", "SecretArn"]);
		expect(refused({})).toEqual([]);
	});

	test("are each in one group, with a label and a word on what they are for", () => {
		const shown = root.Metadata?.["AWS::CloudFormation::Interface"];
		const { ParameterGroups, ParameterLabels } = shown as { ParameterGroups: { Parameters: string[] }[]; ParameterLabels: object };
		expect(ParameterGroups.flatMap(({ Parameters }) => Parameters).toSorted()).toEqual(names.toSorted());
		expect(Object.keys(ParameterLabels).toSorted()).toEqual(names.toSorted());
		for (const name of names) expect((root.Parameters[name] as { Description?: string }).Description?.length).toBeGreaterThan(10);
	});

	test.each<[string, Json]>([
		["RelayUrl", "http://mayfly.example.workers.dev"],
		["RelayUrl", "https://mayfly.example.workers.dev/lease"],
		["RelayUrl", "https://mayfly.example.workers.dev:8443"],
		["AppId", "mayfly"],
		["SecretArn", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:*"],
		["SecretArn", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:mayfly/*-AbCdEf"],
		["SecretArn", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:mayfly/prod"],
		["SecretArn", "mayfly/prod"],
		["SecretArn", "arn:aws:ssm:eu-west-1:111122223333:parameter/mayfly"],
		["Cidr", "10.77.0.0/24"],
		["Cidr", "10.77.0.0/8"],
		["Cidr", "8.8.0.0/16"],
		["Cidr", "172.32.0.0/16"],
		["Cidr", "100.128.0.0/16"],
		["Cidr", "10.77.0.1/16"],
		["Cidr", "10.77.16.0/16"],
		["Cidr", "10.77.8.0/20"],
		["Cidr", "fd00::/16"],
		["Zones", 0],
		["Zones", 4],
		["VpcId", "default"],
		["EgressMode", "closed"],
		["DnsFirewall", "maybe"],
		["GatewayInstanceType", "small"],
		["InstanceTypes", "c8g.*,*"],
		["InstanceTypes", "*.large"],
		["InstanceTypes", ""],
		["SharedImages", "*"],
		["SharedImages", "arn:aws:ec2:eu-west-1::image/*"],
		["SharedImages", "arn:aws:ec2:eu-west-1::image/ami-0abc,ami-0def"],
		["SshCidr", "0.0.0.0/0"],
		["SshCidr", "203.0.113.7"],
		["AlarmEmail", "everybody"],
		["LaunchesPerHour", 0],
		["DailyBudgetUsd", -1],
	])("%s cannot be %p", (name, value) => {
		expect(refused({ ...(name === "VpcId" && VPC), [name]: value })).toContain(name);
	});

	test.each<[string, Record<string, Json>]>([
		["VpcId needs InternetGatewayId", { VpcId: "vpc-0a1b" }],
		["InternetGatewayId is for a VPC that exists", { InternetGatewayId: "igw-0a1b" }],
		["DnsFirewall is off only for a VPC that others share", { DnsFirewall: "off" }],
	])("rules refuse what cannot be: %s", (reason, given) => {
		expect(refused(given)).toEqual([expect.stringContaining(reason) as unknown as string]);
	});

	test.each<[string, Record<string, Json>]>([
		["a VPC that exists", VPC],
		["one with a resolver of its own mind", { ...VPC, DnsFirewall: "off" }],
		["each range that can be private", { Cidr: "100.64.16.0/20" }],
		["images that others share", { SharedImages: "arn:aws:ec2:eu-west-1::image/ami-0abc,arn:aws:ec2:eu-west-1::image/ami-0def" }],
		["two families and a type", { InstanceTypes: "c8*.*,m8g.*,r8i.2xlarge" }],
		["SSH from an office", { SshCidr: "203.0.113.0/24" }],
		["one zone, to try it", { Zones: 1, EgressMode: "observe", DailyBudgetUsd: 0 }],
	])("rules let pass %s", (_, given) => {
		expect(refused(given)).toEqual([]);
	});
});

describe("the instance types that may be launched unless the operator says otherwise", () => {
	const globs = String(root.Parameters.InstanceTypes?.Default)
		.split(",")
		.map((glob) => new RegExp(`^${glob.replaceAll(".", "\\.").replaceAll("*", ".*")}$`));
	const may = (type: string) => globs.some((glob) => glob.test(type));

	test("are all that the poller knows", () => {
		const known = [...instanceTypes.x64, ...instanceTypes.arm64].map(([name]) => String(name));
		expect(known.length).toBeGreaterThan(500);
		expect(known.filter((name) => !may(name))).toEqual([]);
	});

	test.each([
		"p5.48xlarge",
		"g6.xlarge",
		"u7i-12tb.224xlarge",
		"mac2.metal",
		"inf2.48xlarge",
		"trn2.48xlarge",
		"hpc7g.16xlarge",
		"t2.micro",
	])("are not %s", (type) => {
		expect(may(type)).toBe(false);
	});
});
