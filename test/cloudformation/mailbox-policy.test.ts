// What the mailbox's bucket policy lets a machine do, which has no credentials: by the policy exactly as the template renders it, put to an IAM
// evaluator of others. The stand-in of the local system goes by the same table.
import { describe, expect, test } from "bun:test";
import { anonymousPrincipal, runSimulation } from "@cloud-copilot/iam-simulate";
import { policyAllows } from "../../local/mailbox.ts";
import { readTemplate, render } from "./template.ts";

// What stands for the endpoint's id here: its name in the template.
const ENDPOINT = "Endpoint";
const given = { Stack: "prod", Vpc: "vpc-0a", RouteTables: "rtb-0public,rtb-0a,rtb-0b" };
const { resources } = render(readTemplate("mailbox"), given);
const policy = (resources.Policy?.Properties as unknown as { PolicyDocument: object } | undefined)?.PolicyDocument;

const OWN = "10.0.17.9";
const MACHINE = { "aws:SourceVpce": ENDPOINT, "aws:VpcSourceIp": OWN, "aws:SecureTransport": "true" };
const ACTIONS: Record<string, string> = { GET: "s3:GetObject", PUT: "s3:PutObject", DELETE: "s3:DeleteObject", LIST: "s3:ListBucket" };

async function isAllowed(method: string, key: string, contextVariables: Record<string, string>): Promise<boolean> {
	const resource = method === "LIST" ? "arn:aws:s3:::Bucket" : `arn:aws:s3:::Bucket/${key}`;
	const { overallResult } = (await runSimulation(
		{
			request: {
				principal: anonymousPrincipal,
				action: ACTIONS[method] ?? method,
				resource: { resource, accountId: "111122223333" },
				contextVariables,
			},
			...{ identityPolicies: [], serviceControlPolicies: [], resourceControlPolicies: [], resourcePolicy: policy },
		} as never,
		{},
	)) as { overallResult?: string };
	if (overallResult === undefined) throw new Error(`the evaluator refused ${method} ${key}`);
	return overallResult === "Allowed";
}

describe("a machine, by its address through the endpoint", () => {
	test.each<[method: string, key: string, allowed: boolean]>([
		["GET", `boot/${OWN}/i-0abc`, true],
		["DELETE", `boot/${OWN}/i-0abc`, true],
		["PUT", `boot/${OWN}/i-0abc`, false],
		["GET", "boot/10.0.17.90/i-0def", false],
		["GET", "boot/10.0.17.8/i-0def", false],
		["DELETE", "boot/10.0.17.8/i-0def", false],
		["PUT", `records/${OWN}/i-0abc.json`, true],
		["GET", `records/${OWN}/i-0abc.json`, false],
		["DELETE", `records/${OWN}/i-0abc.json`, false],
		["PUT", "records/10.0.17.8/i-0def.json", false],
		["GET", "dist/mayfly-agent-linux-arm64", true],
		["PUT", "dist/mayfly-agent-linux-arm64", false],
		["DELETE", "dist/mayfly-agent-linux-arm64", false],
		["GET", "config/abc.json", false],
	])("%s %s: %p", async (method, key, allowed) => {
		expect(await isAllowed(method, key, MACHINE)).toBe(allowed);
		expect(policyAllows(method, key, OWN)).toBe(allowed);
	});

	test("lists nothing", async () => {
		expect(await isAllowed("LIST", "", MACHINE)).toBe(false);
	});
});

describe("the same key", () => {
	const key = `boot/${OWN}/i-0abc`;
	test.each<[string, Record<string, string>]>([
		["from the internet", { "aws:SecureTransport": "true", "aws:SourceIp": OWN }],
		["through another endpoint", { ...MACHINE, "aws:SourceVpce": "vpce-0ffffffffffffffff" }],
		["from the same address of another VPC", { "aws:VpcSourceIp": OWN, "aws:SecureTransport": "true" }],
		["without TLS", { ...MACHINE, "aws:SecureTransport": "false" }],
	])("%s is refused", async (_, context) => {
		expect(await isAllowed("GET", key, context)).toBe(false);
	});
});

test("the bucket is private, encrypted by S3's own key, keeps no old versions and forgets", () => {
	const bucket = resources.Bucket?.Properties as Record<string, unknown> | undefined;
	expect(bucket).toMatchObject({
		PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
		BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } }] },
	});
	expect(bucket).not.toHaveProperty("VersioningConfiguration");
	expect(JSON.stringify(bucket)).toContain('"Prefix":"boot/","ExpirationInDays":1');
});
