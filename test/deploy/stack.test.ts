// The whole stack, deployed by the command to moto: what was asked for is there, but for the types that moto is known to skip; a second deployment
// changes nothing, and a changed mayfly.yml what it should.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { DescribeSubnetsCommand } from "@aws-sdk/client-ec2";
import { GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { parseResolvedFile } from "../../contract/config.ts";
import { EGRESS_KEY, parseEgressDocument } from "../../contract/egress.ts";
import { subnetPlan } from "../../egress/plan.ts";
import { ec2Client } from "../fakes/aws-account.ts";
import { ACCOUNT, type AwsAccount, CREDENTIALS, type Ended, EXAMPLE, NEEDED, REGION, startAwsAccount } from "./account.ts";
import { askedFor, cloudFormationOf, isKnown, type Made, madeIn, outputsOf, QUERIES } from "./resources.ts";

const MINUTES = 60_000;
// Each test is a process or several, on a machine that others use.
setDefaultTimeout(3 * MINUTES);
/** What moto 5.2.5 makes nothing of (AWS.md 4). One more, or one less, is told by the first test. */
const SKIPPED = [
	"AWS::Budgets::Budget",
	"AWS::CloudWatch::Alarm",
	"AWS::EC2::InstanceConnectEndpoint",
	"AWS::EC2::NetworkAcl",
	"AWS::EC2::NetworkAclEntry",
	"AWS::EC2::SubnetNetworkAclAssociation",
	"AWS::Lambda::EventInvokeConfig",
	"AWS::Logs::MetricFilter",
	"AWS::Logs::QueryDefinition",
	"AWS::Route53Resolver::FirewallDomainList",
	"AWS::Route53Resolver::FirewallRuleGroup",
	"AWS::Route53Resolver::FirewallRuleGroupAssociation",
	"AWS::Route53Resolver::ResolverQueryLoggingConfig",
	"AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation",
	"AWS::S3::BucketPolicy",
	"AWS::SNS::Subscription",
	"AWS::SNS::TopicPolicy",
];
const CHOSEN = ["--region", REGION, "--config", EXAMPLE];
/** What conditions leave out otherwise: a third zone, the way in for people, the mail. */
const MORE = { Zones: "3", SshCidr: "203.0.113.0/24", AlarmEmail: "ops@example.com" };
const GIVEN = {
	RelayUrl: "https://relay.example.com",
	AppId: "42",
	SecretArn: `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:mayfly/prod-AbCdEf`,
};

let account: AwsAccount;
let client: CloudFormationClient;
let first: Ended;
let made: Made[];
let mailbox: string;
const s3 = () => new S3Client({ endpoint: account.url, region: REGION, credentials: CREDENTIALS, forcePathStyle: true });
const objectAt = async (Key: string): Promise<unknown> =>
	JSON.parse((await (await s3().send(new GetObjectCommand({ Bucket: mailbox, Key }))).Body?.transformToString()) ?? "");
const typeOf = (line: string) => line.split(" ")[1] ?? "";

beforeAll(async () => {
	account = await startAwsAccount();
	client = cloudFormationOf(account.url);
	first = await account.deploy([
		...CHOSEN,
		...NEEDED,
		...Object.entries(MORE).flatMap(([name, value]) => ["--set", `${name}=${value}`]),
		"--yes",
	]);
	made = first.status === 0 ? await madeIn(client, "mayfly") : [];
	mailbox = first.status === 0 ? ((await outputsOf(client, "mayfly")).MailboxBucket ?? "") : "";
}, 10 * MINUTES);
afterAll(() => account?.stop());

describe("a first deployment", () => {
	test("ends well, with what comes next", () => {
		expect(first.err).toBe("");
		expect(first.status).toBe(0);
		for (const said of ["making the bucket", "+ add", "CREATE_COMPLETE", "deployed", "GatewayAddresses", "next:", "/mayfly/mayfly/poller"])
			expect(first.out).toContain(said);
	});

	test(
		"makes every resource that the templates ask for, but for the types that moto skips",
		() => {
			const asked = askedFor(["build", "deploy"], { ...GIVEN, ...MORE, Zones: 3 });
			const there = made.map(({ path, type }) => `${path} ${type}`);
			const skipped = asked.filter((line) => !there.includes(line));
			process.stdout.write(`${asked.length} resources asked for, ${there.length} made, ${skipped.length} skipped by moto\n`);
			expect(asked.length).toBeGreaterThan(100);
			expect(there.filter((line) => !asked.includes(line))).toEqual([]);
			expect(skipped.filter((line) => !SKIPPED.includes(typeOf(line)))).toEqual([]);
			expect(SKIPPED.filter((type) => !skipped.some((line) => typeOf(line) === type))).toEqual([]);
			expect(there.filter((line) => SKIPPED.includes(typeOf(line)))).toEqual([]);
		},
		MINUTES,
	);

	test("makes what the services themselves know of", async () => {
		const strangers = await Promise.all(
			made.filter(({ type }) => Object.hasOwn(QUERIES, type)).map(async (one) => ((await isKnown(account.url, one)) ? [] : [one])),
		);
		expect(strangers.flat()).toEqual([]);
		expect(Object.keys(QUERIES).filter((type) => !made.some((one) => one.type === type))).toEqual([]);
	});

	test("gives subnets the addresses of egress/plan.ts", async () => {
		const ids = new Map(made.filter(({ type }) => type === "AWS::EC2::Subnet").map(({ path, physicalId }) => [physicalId, path]));
		const { Subnets = [] } = await ec2Client(account.url, { region: REGION, credentials: CREDENTIALS }).send(
			new DescribeSubnetsCommand({ SubnetIds: [...ids.keys()] }),
		);
		const cidrs = Object.fromEntries(
			Subnets.map(({ SubnetId = "", CidrBlock, AvailabilityZone }) => [ids.get(SubnetId), [CidrBlock, AvailabilityZone]]),
		);
		const planned = subnetPlan("10.77.0.0/16", 3, 2);
		if (!planned.ok) throw new Error(planned.reason);
		const { gateways, pollers, tiers } = planned.plan;
		const inZones = (names: (zone: string) => string, ranges: string[] = []) =>
			ranges.map((range, at) => [names("ABC"[at] ?? ""), [range, `${REGION}${"abc"[at]}`]] as const);
		expect(cidrs).toEqual(
			Object.fromEntries([
				...inZones((zone) => `Network/GatewaySubnet${zone}`, gateways),
				...inZones((zone) => `Network/PollerSubnet${zone}`, pollers),
				...inZones((zone) => `TierOne/Subnet${zone}`, tiers[0]),
				...inZones((zone) => `TierTwo/Subnet${zone}`, tiers[1]),
			]),
		);
	});

	test("leaves the poller's config and the gateways' list in the mailbox, as their readers want them", async () => {
		const { Contents = [] } = await s3().send(new ListObjectsV2Command({ Bucket: mailbox }));
		const keys = Contents.map(({ Key = "" }) => Key);
		const configKey = keys.find((key) => /^config\/[0-9a-f]{64}\.json$/.test(key)) ?? "";
		expect(parseResolvedFile(await objectAt(configKey))).toMatchObject({ ok: true, value: { tiers: { build: {}, deploy: {} } } });
		const list = parseEgressDocument(await objectAt(EGRESS_KEY));
		if (!list.ok) throw new Error(list.reason);
		expect(list.value.lists.map(({ name, sources }) => [name, sources])).toEqual([
			["build", ["10.77.16.0/20", "10.77.32.0/20", "10.77.48.0/20"]],
			["deploy", ["10.77.64.0/20", "10.77.80.0/20", "10.77.96.0/20"]],
			["poller", ["10.77.6.0/23", "10.77.8.0/23", "10.77.10.0/23"]],
		]);
	});

	test("keeps what CloudFormation reads in a bucket of the account's own", async () => {
		const bucket = `mayfly-artifacts-${ACCOUNT}-${REGION}`;
		const { Contents = [] } = await s3().send(new ListObjectsV2Command({ Bucket: bucket }));
		const templates = ["acl", "egress", "mailbox", "network", "observability", "poller", "root", "runners", "ssh", "tier"];
		expect(Contents.map(({ Key = "" }) => Key.replace(/-[0-9a-f]{32}\./, "."))).toEqual(
			expect.arrayContaining(["code/poller.zip", "egress/domains.txt", ...templates.map((name) => `templates/${name}.yaml`)]),
		);
	});
});

describe("a later deployment", () => {
	test(
		"of the same says so, uploads nothing and needs no values again",
		async () => {
			account.takeCalls();
			const { status, out, err } = await account.deploy([...CHOSEN, "--yes", "--json"]);
			expect(status).toBe(0);
			expect(JSON.parse(out)).toMatchObject({ ok: true, outcome: "unchanged", stack: "mayfly", outputs: { MailboxBucket: mailbox } });
			expect(err).toContain("nothing to change");
			expect(account.takeCalls().filter((call) => /s3 PUT|ExecuteChangeSet/.test(call))).toEqual([]);
		},
		5 * MINUTES,
	);

	test(
		"of a mayfly.yml with one more host changes the resolver's list and the poller's config alone",
		async () => {
			const folder = await mkdtemp(join(tmpdir(), "mayfly-deploy-"));
			const file = join(folder, "mayfly.yml");
			writeFileSync(file, (await readFile(EXAMPLE, "utf8")).replace("registry.example.com,", "registry.example.com, second.example.com,"));
			const { status, out } = await account.deploy(["--region", REGION, "--config", file, "--yes"]);
			await rm(folder, { recursive: true });
			expect(status).toBe(0);
			const changes = out.split("\n").filter((line) => /^ {2}[+~-] /.test(line));
			expect(changes.map((line) => line.trim().split(/\s+/).slice(0, 3).join(" "))).toEqual(["~ modify Egress", "~ modify Poller"]);
			const list = parseEgressDocument(await objectAt(EGRESS_KEY));
			expect(list.ok && list.value.lists[0]?.hosts).toContain("second.example.com");
			expect((await madeIn(client, "mayfly")).map(({ physicalId }) => physicalId)).toEqual(made.map(({ physicalId }) => physicalId));
		},
		5 * MINUTES,
	);
});
