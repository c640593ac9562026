// Parameters of the root template: where a value comes from, and what is told before AWS is asked.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { decideParameters } from "../../deploy/parameters.ts";
import { readParametersFile } from "../../deploy/parameters-file.ts";
import { brokenRules } from "../../deploy/rules.ts";
import { readTemplate } from "../../deploy/template.ts";

const root = readTemplate("root.yaml", readFileSync(join(import.meta.dir, "..", "..", "cloudformation", "root.yaml"), "utf8"));
const NEEDED = {
	RelayUrl: "https://relay.example.com",
	AppId: "42",
	SecretArn: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:mayfly/prod-AbCdEf",
};
const decide = (set: Record<string, string>, previous: Record<string, string> | null = null, file: Record<string, string> = {}) =>
	decideParameters(root, { set, file }, previous);
const sourceOf = (name: string, { chosen }: ReturnType<typeof decide>) => {
	const { value, source } = chosen.find((one) => one.name === name) ?? {};
	return `${value} from ${source}`;
};

describe("a value", () => {
	test("is that of --set, then the file's, then the stack's, then the default", () => {
		const previous = { Zones: "3", EgressMode: "observe", LaunchesPerHour: "9" };
		const decided = decide({ ...NEEDED, Zones: "1" }, previous, { Zones: "2", EgressMode: "open" });
		expect(["Zones", "EgressMode", "LaunchesPerHour", "Cidr"].map((name) => sourceOf(name, decided))).toEqual([
			"1 from --set",
			"open from the file",
			"9 from the stack",
			"10.77.0.0/16 from the default",
		]);
		expect(decided).toMatchObject({ missing: [], problems: [] });
	});

	test("that nobody gives is missing by its name, unless the stack has it", () => {
		expect(decide({}).missing).toEqual(["RelayUrl", "AppId", "SecretArn"]);
		expect(decide({}, NEEDED).missing).toEqual([]);
	});

	test.each<[name: string, value: string, reason: string]>([
		["RelayUrl", "http://relay.example.com", "an https address without"],
		["RelayUrl", "https://relay.example.com/hook", "an https address without"],
		["AppId", "Iv1.abc", "a number"],
		["SecretArn", "mayfly/prod", "the ARN of a secret"],
		["Cidr", "8.8.0.0/16", "a private range"],
		["Cidr", "10.0.0.0/24", "a private range"],
		["Zones", "4", "none of 1, 2, 3"],
		["Zones", "two", "is not a number"],
		["EgressMode", "off", "none of open, observe, enforce"],
		["LaunchesPerHour", "0", "is not from 1"],
		["LaunchesPerHour", "0x10", "is not a number"],
		["DailyBudgetUsd", "1e3", "is not a number"],
		["DailyBudgetUsd", " 5", "is not a number"],
		["VpcId", "my-vpc", "does not match"],
	])("%s=%s is refused: %s", (name, value, reason) => {
		const { problems } = decide({ ...NEEDED, [name]: value });
		expect(problems).toHaveLength(1);
		expect(problems[0]).toStartWith(`${name}: "${value}"`);
		expect(problems[0]).toContain(reason);
	});

	test("for a parameter that there is not is refused, with the name that was meant", () => {
		expect(decide({ ...NEEDED, relayurl: "x" }).problems).toEqual(["--set relayurl: there is no such parameter, but RelayUrl"]);
		expect(decide(NEEDED, null, { Colour: "red" }).problems[0]).toStartWith(
			"the file's Colour: there is no such parameter; there are RelayUrl,",
		);
	});

	test("that is a secret of the stack is not judged by the stars that stand for it", () => {
		const template = { Parameters: { Key: { Type: "String", NoEcho: true, AllowedPattern: "^[a-z]+$" } }, Resources: {} };
		expect(decideParameters(template, { set: {}, file: {} }, { Key: "****" })).toMatchObject({ problems: [], chosen: [{ secret: true }] });
		expect(decideParameters(template, { set: { Key: "A1" }, file: {} }, null).problems).toEqual(["Key: its value does not match ^[a-z]+$"]);
	});
});

describe("a combination", () => {
	test.each<[set: Record<string, string>, broken: string | null]>([
		[{}, null],
		[{ VpcId: "vpc-0a" }, "VpcId needs InternetGatewayId"],
		[{ InternetGatewayId: "igw-0a" }, "so it needs VpcId"],
		[{ VpcId: "vpc-0a", InternetGatewayId: "igw-0a", DnsFirewall: "off" }, null],
		[{ DnsFirewall: "off" }, "DnsFirewall is off only for a VPC that others share"],
		[{ InstanceTypes: "c8g.*,*" }, "families such as c8g.*"],
		[{ InstanceTypes: "" }, "families such as c8g.*"],
	])("%j: %p", (set, broken) => {
		const { problems } = decide({ ...NEEDED, ...set });
		expect(problems.length).toBe(broken === null ? 0 : 1);
		if (broken !== null) expect(problems[0]).toContain(broken);
	});

	test("is judged with what the stack has", () => {
		const previous = { ...NEEDED, VpcId: "vpc-0a", InternetGatewayId: "igw-0a" };
		expect(decide({ DnsFirewall: "off" }, previous).problems).toEqual([]);
	});

	test("is left to CloudFormation where a rule asks what only it knows", () => {
		const asks = (Assert: unknown) => brokenRules({ Known: { Assertions: [{ Assert: Assert as never }] } }, { Vpc: "vpc-0a" });
		const inVpc = { "Fn::EachMemberIn": [{ "Fn::ValueOfAll": ["AWS::EC2::Subnet::Id", "VpcId"] }, { "Fn::RefAll": "AWS::EC2::VPC::Id" }] };
		expect(asks(inVpc)).toEqual([]);
		expect(asks({ "Fn::Not": [inVpc] })).toEqual([]);
		expect(asks({ "Fn::And": [inVpc, { "Fn::Equals": [{ Ref: "Vpc" }, "vpc-0b"] }] })).toEqual(["does not hold (rule Known)"]);
		expect(asks({ "Fn::Or": [inVpc, { "Fn::Equals": [{ Ref: "Vpc" }, "vpc-0b"] }] })).toEqual([]);
		expect(asks({ "Fn::EachMemberEquals": [["vpc-0a", "vpc-0b"], { Ref: "Vpc" }] })).toEqual(["does not hold (rule Known)"]);
		expect(asks({ "Fn::EachMemberIn": [[{ Ref: "Vpc" }], ["vpc-0a"]] })).toEqual([]);
	});
});

describe("a file of parameters", () => {
	test.each<[text: string, values: Record<string, string>]>([
		["AppId: 42\nZones: 2\nInstanceTypes: [c8g.*, m8g.*]\n", { AppId: "42", Zones: "2", InstanceTypes: "c8g.*,m8g.*" }],
		['{"AppId": "42"}', { AppId: "42" }],
		['[{"ParameterKey": "AppId", "ParameterValue": "42"}]', { AppId: "42" }],
	])("%j", (text, values) => {
		expect(readParametersFile(text)).toEqual({ ok: true, values });
	});

	test.each([
		["AppId: [", "line 1"],
		["just a text", "neither {Parameter: value} nor a list"],
		["", "neither"],
		["[1, 2]", "neither"],
		["AppId: {a: 1}", "AppId: not a text"],
		["AppId: null", "AppId: not a text"],
	])("%j is refused: %s", (text, reason) => {
		const read = readParametersFile(text);
		expect(read.ok ? "" : read.reason).toContain(reason);
	});
});
