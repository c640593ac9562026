// A VPC that exists already: a `Cidr` that it has not, or that somebody uses, is refused before anything is uploaded, and so is a VPC that hides what a
// stack needs to reach.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { CreateSubnetCommand, CreateVpcCommand, CreateVpcEndpointCommand, DeleteVpcEndpointsCommand } from "@aws-sdk/client-ec2";
import { ec2Client } from "../fakes/aws-account.ts";
import { type AwsAccount, CREDENTIALS, EXAMPLE, NEEDED, REGION, startAwsAccount } from "./account.ts";

setDefaultTimeout(300_000);

let account: AwsAccount;
let client: ReturnType<typeof ec2Client>;
let vpc: string;
let subnet: string;
const tagged = (ResourceType: "subnet", Key: string, Value: string) => ({ TagSpecifications: [{ ResourceType, Tags: [{ Key, Value }] }] });

beforeAll(async () => {
	account = await startAwsAccount();
	client = ec2Client(account.url, { region: REGION, credentials: CREDENTIALS });
	vpc = (await client.send(new CreateVpcCommand({ CidrBlock: "10.0.0.0/16" }))).Vpc?.VpcId ?? "";
	const db = await client.send(new CreateSubnetCommand({ VpcId: vpc, CidrBlock: "10.0.16.0/24", ...tagged("subnet", "Name", "db") }));
	subnet = db.Subnet?.SubnetId ?? "";
	await client.send(new CreateSubnetCommand({ VpcId: vpc, CidrBlock: "10.0.128.0/24", ...tagged("subnet", "mayfly:stack", "mayfly") }));
});
afterAll(() => account?.stop());

const dryRun = (cidr: string) =>
	account.deploy([
		...["--region", REGION, "--config", EXAMPLE, ...NEEDED, "--dry-run"],
		...["--set", `VpcId=${vpc}`, "--set", "InternetGatewayId=igw-0a1b2c3d", "--set", `Cidr=${cidr}`],
	]);

describe("a Cidr", () => {
	test("that is free there is planned, beside the stack's own subnets", async () => {
		const { status, err } = await dryRun("10.0.128.0/17");
		expect([err, status]).toEqual(["", 0]);
	});

	test("that a subnet of somebody else's lies in is refused, and says which", async () => {
		const { status, err } = await dryRun("10.0.0.0/18");
		expect([status, err]).toEqual([2, `Cidr: 10.0.0.0/18 overlaps 10.0.16.0/24, which is ${subnet} (db)\n`]);
	});

	test("that the VPC has not is refused", async () => {
		const { status, err } = await dryRun("10.9.0.0/16");
		expect([status, err]).toEqual([
			2,
			"Cidr: 10.9.0.0/16 is no part of the VPC, which has 10.0.0.0/16: associate it first, or name a part\n",
		]);
	});

	test("of a VPC that may not be looked at is told as not looked at", async () => {
		const refusal = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>";
		account.intervene((call) => (call === "ec2 DescribeVpcs" ? new Response(refusal, { status: 403 }) : undefined));
		const { status, out, err } = await dryRun("10.0.0.0/18");
		account.intervene(() => undefined);
		expect([err, status]).toEqual(["", 0]);
		expect(out).toContain(
			`whether 10.0.0.0/18 is free in ${vpc} was not looked at (DescribeVpcEndpoints, DescribeVpcs, DescribeSubnets ${vpc}: UnauthorizedOperation (403)`,
		);
	});
});

describe("a VPC", () => {
	const endpoint = async (service: string, PrivateDnsEnabled: boolean) => {
		const asked = {
			VpcId: vpc,
			ServiceName: `com.amazonaws.${REGION}.${service}`,
			VpcEndpointType: "Interface" as const,
			PrivateDnsEnabled,
		};
		return (await client.send(new CreateVpcEndpointCommand(asked))).VpcEndpoint?.VpcEndpointId ?? "";
	};

	test("whose endpoints give names that pollers or gateways ask for private addresses is refused, and says which endpoints", async () => {
		const ids = [
			await endpoint("secretsmanager", true),
			await endpoint("logs", true),
			await endpoint("ec2", false),
			await endpoint("sqs", true),
		];
		const { status, err } = await dryRun("10.0.128.0/17");
		await client.send(new DeleteVpcEndpointsCommand({ VpcEndpointIds: ids }));
		expect(status).toBe(1);
		expect(err).toContain(`VpcId: ${vpc} gives names private addresses by `);
		expect([...err.matchAll(/vpce-[0-9a-z]+ \([a-z0-9]+\)/g)].map(([text]) => text).toSorted()).toEqual(
			[`${ids[0]} (secretsmanager)`, `${ids[1]} (logs)`].toSorted(),
		);
		expect(err).toContain("turn off private DNS of those endpoints");
	});

	test("whose other endpoints have private names is none of a stack's", async () => {
		const ids = [await endpoint("sqs", true), await endpoint("ec2", false)];
		const { status, err } = await dryRun("10.0.128.0/17");
		await client.send(new DeleteVpcEndpointsCommand({ VpcEndpointIds: ids }));
		expect([err, status]).toEqual(["", 0]);
	});
});
