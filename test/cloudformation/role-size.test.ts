// IAM takes 10,240 characters of a role's own policies, white space not counted. The poller's name each subnet of each tier.
import { expect, test } from "bun:test";
import { ACCOUNT, type Role } from "./iam.ts";
import { stackOf } from "./stack.ts";

const MOST = 10_240;
const ID = "0123456789abcdef0";
const [LONG_NAME, LONG_REGION] = ["mayfly-of-the-platform-team-production-1", "ap-southeast-1"];

/** As long as in an account: ids and names of resources are longer than those that stand for them here. */
function asInAnAccount(policies: string): string {
	return policies
		.replace(/subnet\/[A-Za-z]+-Subnet[ABC]/g, `subnet/subnet-${ID}`)
		.replace(/launch-template\/Runners-[A-Za-z0-9]+/g, `launch-template/lt-${ID}`)
		.replace(/security-group\/[A-Za-z.-]+/g, `security-group/sg-${ID}`)
		.replaceAll("Mailbox-Bucket", `${LONG_NAME}-bucket-abcdefghijkl`)
		.replaceAll('"mayfly"', `"${LONG_NAME}"`)
		.replaceAll("/mayfly/mayfly/", `/mayfly/${LONG_NAME}/`)
		.replaceAll("eu-west-1", LONG_REGION);
}

test("the poller's role fits, with five tiers in three zones, one of them with a role, a long name and five shared images", () => {
	const images = Array.from({ length: 5 }, (_, at) => `arn:aws:ec2:eu-west-1::image/ami-0123456789abcdef${at}`);
	const role = { Tier: "documentation", Arn: `arn:aws:iam::${ACCOUNT}:role/mayfly-documentation` };
	const tiers = ["build", "deploy", "nightly", "gpu", "documentation"];
	const { Policies } = stackOf({ Zones: 3, SharedImages: images.join(",") }, { tiers, role }).get("Poller-Role") as unknown as Role;
	const text = asInAnAccount(JSON.stringify(Policies.map(({ PolicyDocument }) => PolicyDocument)));
	expect(text.match(new RegExp(`subnet/subnet-${ID}`, "g"))).toHaveLength(30);
	expect(text.length).toBeLessThan(MOST);
});
