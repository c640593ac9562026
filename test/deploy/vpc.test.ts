// A VPC that exists already: a `Cidr` that it has not, or that somebody uses, is refused before anything is uploaded.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { CreateSubnetCommand, CreateVpcCommand } from "@aws-sdk/client-ec2";
import { ec2Client } from "../fakes/aws-account.ts";
import { type AwsAccount, CREDENTIALS, EXAMPLE, NEEDED, REGION, startAwsAccount } from "./account.ts";

setDefaultTimeout(300_000);

let account: AwsAccount;
let vpc: string;
let subnet: string;
const tagged = (ResourceType: "subnet", Key: string, Value: string) => ({ TagSpecifications: [{ ResourceType, Tags: [{ Key, Value }] }] });

beforeAll(async () => {
	account = await startAwsAccount();
	const client = ec2Client(account.url, { region: REGION, credentials: CREDENTIALS });
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
			`whether 10.0.0.0/18 is free in ${vpc} was not looked at (DescribeVpcs, DescribeSubnets ${vpc}: UnauthorizedOperation (403)`,
		);
	});
});
