// What the mailbox's bucket policy lets a machine do, which has no credentials: by the policy exactly as the template renders it, put to an IAM
// evaluator of others. The stand-in of the local system goes by the same table.
import { describe, expect, test } from "bun:test";
import { policyAllows } from "../../local/mailbox.ts";
import { type Context, type Document, isAllowed } from "./iam.ts";
import { readTemplate, render } from "./template.ts";

// What stands for the endpoint's id here: its name in the template.
const ENDPOINT = "Endpoint";
const given = { Stack: "prod", Vpc: "vpc-0a", RouteTables: "rtb-0public,rtb-0a,rtb-0b" };
const { resources } = render(readTemplate("mailbox"), given);
const documentOf = (name: string) => resources[name]?.Properties?.PolicyDocument as unknown as Document;
/** A machine asks through the endpoint, which has a say of its own. */
const policies = { resource: documentOf("Policy"), endpoint: documentOf("Endpoint") };

const OWN = "10.0.17.9";
const MACHINE = { "aws:SourceVpce": ENDPOINT, "aws:VpcSourceIp": OWN, "aws:SecureTransport": "true" };
const ACTIONS: Record<string, string> = { GET: "s3:GetObject", PUT: "s3:PutObject", DELETE: "s3:DeleteObject", LIST: "s3:ListBucket" };

function mayDo(method: string, key: string, context: Context): Promise<boolean> {
	const resource = method === "LIST" ? "arn:aws:s3:::Bucket" : `arn:aws:s3:::Bucket/${key}`;
	return isAllowed(policies, ACTIONS[method] ?? method, resource, context);
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
		["GET", "dist/egress/current.json", true],
		["GET", `boot/${OWN}/probe`, true],
		["GET", "boot/10.0.17.8/probe", false],
	])("%s %s: %p", async (method, key, allowed) => {
		expect(await mayDo(method, key, MACHINE)).toBe(allowed);
		expect(policyAllows(method, key, OWN)).toBe(allowed);
	});

	test("lists nothing", async () => {
		expect(await mayDo("LIST", "", MACHINE)).toBe(false);
	});
});

describe("the same key", () => {
	const key = `boot/${OWN}/i-0abc`;
	test.each<[string, Context]>([
		["from the internet", { "aws:SecureTransport": "true", "aws:SourceIp": OWN }],
		["through another endpoint", { ...MACHINE, "aws:SourceVpce": "vpce-0ffffffffffffffff" }],
		["from the same address of another VPC", { "aws:VpcSourceIp": OWN, "aws:SecureTransport": "true" }],
		["without TLS", { ...MACHINE, "aws:SecureTransport": "false" }],
	])("%s is refused", async (_, context) => {
		expect(await mayDo("GET", key, context)).toBe(false);
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

// S3's route leads past the gateways, so the endpoint is a gateway of its own: with a list of one bucket.
describe("the endpoint", () => {
	const ENDPOINT_ONLY = { endpoint: documentOf("Endpoint") };
	const anybodys = { Statement: [{ Sid: "All", Effect: "Allow", Action: "s3:*", Resource: "*" }] };
	const theirs = { ...ENDPOINT_ONLY, identity: [anybodys] };

	test.each<[what: string, action: string, resource: string, allowed: boolean]>([
		["an object of the mailbox", "s3:GetObject", "arn:aws:s3:::Bucket/dist/mayfly-agent-linux-x64", true],
		["the poller's boot document", "s3:PutObject", "arn:aws:s3:::Bucket/boot/10.0.17.9/i-0abc", true],
		["the mailbox's list", "s3:ListBucket", "arn:aws:s3:::Bucket", false],
		["the mailbox's policy", "s3:PutBucketPolicy", "arn:aws:s3:::Bucket", false],
		["somebody's bucket, with credentials of theirs", "s3:PutObject", "arn:aws:s3:::exfiltrated/secrets", false],
		["something public of somebody's", "s3:GetObject", "arn:aws:s3:::exfiltrated/program", false],
		["a bucket whose name begins like the mailbox's", "s3:GetObject", "arn:aws:s3:::Bucket-2/program", false],
	])("lets through %s: %s %s %p", async (_, action, resource, allowed) => {
		expect(await isAllowed(theirs, action, resource)).toBe(allowed);
	});

	test("lets read, and not write, what a list needs of others", async () => {
		const listed = "arn:aws:s3:::packages/*";
		const wider = render(readTemplate("mailbox"), { ...given, ReadOnlyObjects: listed }).resources.Endpoint?.Properties?.PolicyDocument;
		const through = (action: string, resource: string) =>
			isAllowed({ endpoint: wider as unknown as Document, identity: [anybodys] }, action, resource);
		expect(await through("s3:GetObject", "arn:aws:s3:::packages/a.deb")).toBe(true);
		expect(await through("s3:PutObject", "arn:aws:s3:::packages/a.deb")).toBe(false);
		expect(await through("s3:GetObject", "arn:aws:s3:::other/a.deb")).toBe(false);
	});

	test("is in the route tables of gateways, pollers and machines", () => {
		expect(resources.Endpoint?.Properties).toMatchObject({
			VpcEndpointType: "Gateway",
			RouteTableIds: ["rtb-0public", "rtb-0a", "rtb-0b"],
		});
	});
});
