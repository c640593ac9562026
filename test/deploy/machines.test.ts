// The poller's own code against a stack that was deployed to moto: what the templates tell it of the stack is enough to launch, find and end machines
// there, and to leave boot documents.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { DescribeInstancesCommand, DescribeLaunchTemplateVersionsCommand, type EC2Client } from "@aws-sdk/client-ec2";
import { DeleteObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { bootKey } from "../../contract/boot.ts";
import { parseResolvedFile, type ResolvedConfig } from "../../contract/config.ts";
import { admitJob } from "../../poller/admit.ts";
import { parsePollerConfig } from "../../poller/config.ts";
import { createEc2 } from "../../poller/ec2.ts";
import { INSTANCE_TYPES } from "../../poller/instance-types.ts";
import { launchCallsOf, launchIntent } from "../../poller/launch-request.ts";
import { createMailbox } from "../../poller/mailbox.ts";
import { offerFor } from "../../poller/offer.ts";
import { planLaunches } from "../../poller/plan.ts";
import type { Run, RunJob } from "../../poller/ports.ts";
import { ec2Client } from "../fakes/aws-account.ts";
import { launchItem } from "../poller/poller-world.ts";
import { type AwsAccount, CREDENTIALS, EXAMPLE, IMAGE, NEEDED, REGION, startAwsAccount, UNVALIDATED } from "./account.ts";
import { cloudFormationOf, type Made, madeIn, outputsOf } from "./resources.ts";

const MINUTES = 60_000;
// Each test is a process or several, on a machine that others use.
setDefaultTimeout(3 * MINUTES);
let account: AwsAccount;
let made: Made[];
let outputs: Record<string, string>;
let direct: EC2Client;
let config: ResolvedConfig;
const idOf = (path: string) => made.find((one) => one.path === path)?.physicalId ?? `there is no ${path}`;
const access = { region: REGION, credentials: CREDENTIALS, fetch };
const mailbox = () => createMailbox(access, `${account.url}/${outputs.MailboxBucket}`, Bun.sleep);

/** The function's environment, as Lambda would give it. */
async function pollerEnvironment(): Promise<Record<string, string>> {
	const answer = await fetch(`${account.url}/2015-03-31/functions/${outputs.PollerFunction}`, {
		headers: { authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${REGION}/lambda/aws4_request` },
	});
	const { Configuration } = (await answer.json()) as { Configuration: { Environment: { Variables: Record<string, string> } } };
	return Configuration.Environment.Variables;
}

beforeAll(async () => {
	account = await startAwsAccount();
	account.intervene(UNVALIDATED);
	const { status, err } = await account.deploy(["--region", REGION, "--config", EXAMPLE, ...NEEDED, "--yes"]);
	if (status !== 0) throw new Error(err);
	const client = cloudFormationOf(account.url);
	[made, outputs] = await Promise.all([madeIn(client, "mayfly"), outputsOf(client, "mayfly")]);
	direct = ec2Client(account.url, { region: REGION, credentials: CREDENTIALS });
	const keys = { AWS_REGION: REGION, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
	const parsed = parsePollerConfig({ ...keys, ...(await pollerEnvironment()) });
	if (!parsed.ok) throw new Error(parsed.problems.join("; "));
	const file = parseResolvedFile(JSON.parse(await mailbox().get(parsed.config.configKey)));
	if (!file.ok) throw new Error(file.reason);
	config = { ...file.value, infrastructure: parsed.config.infrastructure };
}, 10 * MINUTES);
afterAll(() => account?.stop());

const RUN: Run = {
	...{ id: 7, attempt: 1, status: "queued", conclusion: null, event: "push", path: ".github/workflows/ci.yml", headBranch: "main" },
	...{ headRepository: "octo-org/octo-repo", repository: "octo-org/octo-repo", repositoryId: 1, actor: "mona", triggeringActor: "mona" },
	...{ pullRequest: null, updatedAt: 0 },
};
const job = (id: number, ...labels: string[]): RunJob => ({
	...{ id, name: "build", createdAt: 0, completedAt: null, status: "queued", conclusion: null, runnerName: null, labels },
});

/** The CreateFleet call that the poller would make for jobs with a label. */
function callFor(label: string, ...ids: number[]) {
	const candidates = ids.map((id) => {
		const admitted = admitJob(RUN, job(id, label), null, config);
		if (!admitted.admitted) throw new Error(admitted.reason);
		return { item: launchItem(id, RUN.id, 1), run: RUN, job: job(id, label), admitted, oidc: null, spot: admitted.request.spot };
	});
	const [group] = planLaunches(candidates).groups;
	if (!group) throw new Error("nothing to launch");
	const offer = offerFor(group.first.admitted.request, INSTANCE_TYPES, config.infrastructure.subnets);
	if (!offer.ok) throw new Error(offer.reason);
	const calls = launchCallsOf(launchIntent(group, offer, config));
	if (!calls) throw new Error("the intent is none");
	return calls.first;
}

test("the function is told what the stack has", () => {
	expect(config.infrastructure).toMatchObject({
		stack: "mayfly",
		launchTemplates: {
			x64: { id: idOf("Runners/LaunchTemplateX64"), version: "1" },
			arm64: { id: idOf("Runners/LaunchTemplateArm64"), version: "1" },
		},
		images: { x64: IMAGE, arm64: IMAGE },
		subnets: [
			{ id: idOf("TierOne/SubnetA"), zone: `${REGION}a`, tier: "build" },
			{ id: idOf("TierOne/SubnetB"), zone: `${REGION}b`, tier: "build" },
			{ id: idOf("TierTwo/SubnetA"), zone: `${REGION}a`, tier: "deploy" },
			{ id: idOf("TierTwo/SubnetB"), zone: `${REGION}b`, tier: "deploy" },
		],
	});
});

test(
	"a fleet of the stack's launch template starts tagged machines in the tier's subnets, which are found by the stack's tag and end",
	async () => {
		const ec2 = createEc2({ region: REGION, credentials: CREDENTIALS, endpoint: account.url });
		const call = callFor("mayfly=7/runner=small", 1, 2);
		const { instanceIds, errors } = await ec2.createFleet(call);
		expect(errors).toEqual([]);
		expect(instanceIds).toHaveLength(2);
		const found = await ec2.withTag("mayfly:stack", ["mayfly"]);
		expect(found.map(({ instanceId }) => instanceId).toSorted()).toEqual(instanceIds.toSorted());
		for (const { state, tags, market } of found) {
			expect([state, market]).toEqual(["running", "spot"]);
			expect(tags).toMatchObject({
				"mayfly:tier": "build",
				"mayfly:repository": "octo-org/octo-repo",
				"mayfly:token": call.ClientToken ?? "",
			});
		}
		const { Reservations = [] } = await direct.send(new DescribeInstancesCommand({ InstanceIds: instanceIds }));
		for (const { SubnetId, ImageId } of Reservations.flatMap(({ Instances = [] }) => Instances)) {
			expect([idOf("TierOne/SubnetA"), idOf("TierOne/SubnetB")]).toContain(SubnetId ?? "");
			expect(ImageId).toBe(IMAGE);
		}
		await ec2.tag(instanceIds[0] ?? "", { "mayfly:job": "1" });
		await ec2.terminate(instanceIds);
		const after = await ec2.instances(instanceIds);
		expect(after.map(({ state }) => state)).toEqual(["terminated", "terminated"]);
		expect(after.find(({ instanceId }) => instanceId === instanceIds[0])?.tags["mayfly:job"]).toBe("1");
	},
	MINUTES,
);

test("the launch templates have the stack's security group, IMDSv2 alone and the mailbox's address", async () => {
	for (const name of ["X64", "Arm64"]) {
		const asked = new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId: idOf(`Runners/LaunchTemplate${name}`), Versions: ["1"] });
		const [version] = (await direct.send(asked)).LaunchTemplateVersions ?? [];
		expect(version?.LaunchTemplateData).toMatchObject({
			SecurityGroupIds: [idOf("Runners/SecurityGroup")],
			MetadataOptions: { HttpTokens: "required" },
			UserData: btoa(`MAYFLY_MAILBOX_URL=https://${outputs.MailboxBucket}.s3.${REGION}.amazonaws.com\n`),
		});
		expect(version?.LaunchTemplateData).not.toHaveProperty("IamInstanceProfile");
	}
});

test("gateways are no machines of the poller's", async () => {
	const ec2 = createEc2({ region: REGION, credentials: CREDENTIALS, endpoint: account.url });
	const gateways = await ec2.withTag("mayfly:gateway", ["mayfly"]);
	expect(gateways.map(({ instanceId }) => instanceId).toSorted()).toEqual([idOf("Egress/GatewayA"), idOf("Egress/GatewayB")].toSorted());
	const machines = await ec2.withTag("mayfly:stack", ["mayfly"]);
	expect(machines.filter(({ instanceId }) => gateways.some((gateway) => gateway.instanceId === instanceId))).toEqual([]);
});

test("a boot document is left in the mailbox, read and gone", async () => {
	const key = bootKey("10.77.16.9", "i-0123456789abcdef0");
	expect(await mailbox().has(key)).toBe(false);
	await mailbox().put(key, '{"version":1}');
	expect([await mailbox().has(key), await mailbox().get(key)]).toEqual([true, '{"version":1}']);
	const s3 = new S3Client({ endpoint: account.url, region: REGION, credentials: CREDENTIALS, forcePathStyle: true });
	await s3.send(new DeleteObjectCommand({ Bucket: outputs.MailboxBucket, Key: key }));
	expect(await mailbox().has(key)).toBe(false);
});
