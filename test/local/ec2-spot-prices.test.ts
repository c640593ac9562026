// DescribeSpotPriceHistory of the EC2 stand-in, as the SDK reads it.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { DescribeSpotPriceHistoryCommand, type DescribeSpotPriceHistoryRequest, type EC2Client } from "@aws-sdk/client-ec2";
import type { Ec2 } from "../../local/ec2.ts";
import { createEc2 } from "../../poller/ec2.ts";
import { listPrice } from "../../poller/prices.ts";
import { ec2Client, KEYS, REGION, refusalOf, startAccount } from "../fakes/aws-account.ts";

let ec2: Ec2;
let client: EC2Client;
beforeAll(async () => {
	ec2 = await startAccount();
	client = ec2Client(ec2.url);
});
afterAll(() => ec2.stop());

const ask = (request: DescribeSpotPriceHistoryRequest) => client.send(new DescribeSpotPriceHistoryCommand(request));

test("the poller's client gets a price for each type in each zone, below the list's", async () => {
	const port = createEc2({ region: REGION, credentials: KEYS, endpoint: ec2.url });
	const prices = await port.spotPrices(["m7a.large", "c7i.large"]);
	expect(prices.map(({ type, zone }) => `${type} ${zone}`).toSorted()).toEqual(
		["c7i.large", "m7a.large"].flatMap((type) => ["eu-west-1a", "eu-west-1b"].map((zone) => `${type} ${zone}`)),
	);
	for (const { type, usdPerHour } of prices) expect(usdPerHour).toBeLessThan(listPrice(type, "us-east-1") ?? 0);
});

test("pages together are the whole, and each is as long as asked for", async () => {
	const zones: string[] = [];
	let NextToken: string | undefined;
	do {
		const page = await ask({ InstanceTypes: ["m7a.large", "c7i.large"], MaxResults: 3, NextToken });
		expect(page.SpotPriceHistory?.length).toBeLessThanOrEqual(3);
		zones.push(...(page.SpotPriceHistory ?? []).map(({ InstanceType, AvailabilityZone }) => `${InstanceType} ${AvailabilityZone}`));
		NextToken = page.NextToken || undefined;
	} while (NextToken);
	expect(new Set(zones).size).toBe(4);
	expect(zones).toHaveLength(4);
});

test("another product than Linux has no history here", async () => {
	expect((await ask({ InstanceTypes: ["m7a.large"], ProductDescriptions: ["Windows"] })).SpotPriceHistory).toEqual([]);
});

const REFUSED: [what: string, code: string, request: DescribeSpotPriceHistoryRequest][] = [
	["a type that there is not", "InvalidParameterValue", { InstanceTypes: ["z9.large" as "m7a.large"] }],
	["more results than EC2 gives", "InvalidParameterValue", { MaxResults: 1001 }],
	["an end before the start", "InvalidParameterValue", { StartTime: new Date(2000), EndTime: new Date(1000) }],
	["a token of its own making", "InvalidNextToken", { NextToken: "mine" }],
	["a parameter that the stand-in does not know", "UnknownParameter", { AvailabilityZone: "eu-west-1a" }],
	["a dry run, which would have worked", "DryRunOperation", { DryRun: true }],
];
for (const [what, code, request] of REFUSED) {
	test(`it refuses ${what}`, async () => {
		expect((await refusalOf(ask(request))).code).toBe(code);
	});
}
