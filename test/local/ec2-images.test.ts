// DescribeImages of the EC2 stand-in, as the SDK reads it.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { DescribeImagesCommand, type DescribeImagesRequest, type EC2Client } from "@aws-sdk/client-ec2";
import type { Ec2 } from "../../local/ec2.ts";
import { createEc2 } from "../../poller/ec2.ts";
import { ARM64, ec2Client, KEYS, REGION, refusalOf, startAccount, X64 } from "../fakes/aws-account.ts";

const TAGS = { "mayfly:image": "approved", "mayfly:runner": "2.336.0" };
let ec2: Ec2;
let client: EC2Client;
beforeAll(async () => {
	ec2 = await startAccount({ imageTags: { [X64.imageId]: TAGS } });
	client = ec2Client(ec2.url);
});
afterAll(() => ec2.stop());

const ask = (request: DescribeImagesRequest) => client.send(new DescribeImagesCommand(request));
const idsOf = async (request: DescribeImagesRequest) => (await ask(request)).Images?.map(({ ImageId }) => ImageId);

test("the poller's client gets the images that there are, with their tags, and no refusal for one that is gone", async () => {
	const port = createEc2({ region: REGION, credentials: KEYS, endpoint: ec2.url });
	expect(await port.images([X64.imageId, "ami-0123456789abcdef0", ARM64.imageId])).toEqual([
		{ imageId: X64.imageId, tags: TAGS },
		{ imageId: ARM64.imageId, tags: {} },
	]);
});

test("images are found by id, architecture and tag", async () => {
	expect(await idsOf({})).toEqual([X64.imageId, ARM64.imageId]);
	expect(await idsOf({ ImageIds: [ARM64.imageId] })).toEqual([ARM64.imageId]);
	expect(await idsOf({ Filters: [{ Name: "architecture", Values: ["arm64"] }] })).toEqual([ARM64.imageId]);
	expect(await idsOf({ Filters: [{ Name: "tag:mayfly:image", Values: ["approved"] }] })).toEqual([X64.imageId]);
});

const REFUSED: [what: string, code: string, request: DescribeImagesRequest][] = [
	["an id that there is not", "InvalidAMIID.NotFound", { ImageIds: [X64.imageId, "ami-0123456789abcdef0"] }],
	["an id that is none", "InvalidAMIID.Malformed", { ImageIds: ["ami-x"] }],
	["a filter that EC2 does not know", "InvalidParameterValue", { Filters: [{ Name: "colour", Values: ["red"] }] }],
	["a filter without values", "InvalidParameterValue", { Filters: [{ Name: "image-id" }] }],
	["a parameter that the stand-in does not know", "UnknownParameter", { ExecutableUsers: ["self"] }],
	["a dry run, which would have worked", "DryRunOperation", { DryRun: true }],
];
for (const [what, code, request] of REFUSED) {
	test(`it refuses ${what}`, async () => {
		expect((await refusalOf(ask(request))).code).toBe(code);
	});
}
