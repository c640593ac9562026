// What the poller is told of the rest of the stack, what starts it, and whether it fits into its bounds.
import { describe, expect, test } from "bun:test";
import { parseInfrastructure } from "../../contract/config.ts";
import type { Role } from "./iam.ts";
import { type Stack, stackOf } from "./stack.ts";

const FULL = {
	tiers: ["build", "deploy", "nightly", "gpu", "docs"],
	role: { Tier: "deploy", Arn: "arn:aws:iam::111122223333:role/mayfly-deploy" },
};
const environmentOf = ({ get }: Stack) => (get("Poller-Function").Environment as { Variables: Record<string, string> }).Variables;
const infrastructureOf = (made: Stack) => {
	const read = parseInfrastructure(environmentOf(made).INFRASTRUCTURE ?? "");
	if (!read.ok) throw new Error(read.problems.join("; "));
	return read.value;
};
/** With ids as long as EC2's. */
const inFull = (text: string) =>
	text.replace(/[A-Za-z]+-(Subnet|Poller|Routes|LaunchTemplate|RoleTemplate)[A-Za-z0-9]*/g, "subnet-0a1b2c3d4e5f60001");

describe("the poller", () => {
	test("is told its stack, the launch templates, the images and each tier's subnets", () => {
		const { subnets, ...rest } = infrastructureOf(stackOf({}, { tiers: ["build", "deploy"] }));
		expect(rest).toMatchObject({
			stack: "mayfly",
			launchTemplates: { x64: { id: "Runners-LaunchTemplateX64" }, arm64: { id: "Runners-LaunchTemplateArm64" } },
			images: { x64: "ami-0x64", arm64: "ami-0arm64" },
		});
		expect(subnets.map(({ id, tier }) => [id, tier])).toEqual([
			["TierOne-SubnetA", "build"],
			["TierOne-SubnetB", "build"],
			["TierTwo-SubnetA", "deploy"],
			["TierTwo-SubnetB", "deploy"],
		]);
	});

	test("may launch into those subnets, and into no other", () => {
		const made = stackOf({ Zones: 3 }, FULL);
		const { Policies } = made.get("Poller-Role") as unknown as Role;
		const statements = Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
		const arns = infrastructureOf(made).subnets.map(({ id }) => `arn:aws:ec2:eu-west-1:111122223333:subnet/${id}`);
		expect(arns).toHaveLength(15);
		expect(statements.find(({ Sid }) => Sid === "Subnets")?.Resource).toEqual(arns);
		expect(statements.find(({ Sid }) => Sid === "Interfaces")?.Condition).toEqual({ ArnEquals: { "ec2:Subnet": arns } });
	});

	test("fits the bounds of Lambda and IAM, however large the stack is", () => {
		const made = stackOf({ Zones: 3 }, FULL);
		expect(inFull(JSON.stringify(environmentOf(made))).length).toBeLessThan(4096);
		const { Policies } = made.get("Poller-Role") as unknown as Role;
		const size = Policies.map(({ PolicyDocument }) => inFull(JSON.stringify(PolicyDocument)).length).reduce((sum, one) => sum + one, 0);
		expect(size).toBeGreaterThan(5000);
		expect(size).toBeLessThan(10_240);
	});

	test("is started each minute, told by EC2 of machines that end, and never asked twice", () => {
		const { get, names } = stackOf();
		expect(get("Poller-Schedule").ScheduleExpression).toBe("rate(1 minute)");
		expect(get("Poller-Invocations")).toMatchObject({ MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0, Qualifier: "$LATEST" });
		expect(get("Poller-Interruptions").EventPattern).toEqual({
			source: ["aws.ec2"],
			"detail-type": ["EC2 Spot Instance Interruption Warning"],
		});
		expect(get("Poller-Ends").EventPattern).toEqual({
			source: ["aws.ec2"],
			"detail-type": ["EC2 Instance State-change Notification"],
			detail: { state: ["stopping", "stopped", "shutting-down", "terminated"] },
		});
		const may = names("Lambda::Permission").map((name) => get(name));
		expect(may.map((permission) => permission.SourceArn).toSorted()).toEqual([
			"Poller-Ends.Arn",
			"Poller-Interruptions.Arn",
			"Poller-Schedule.Arn",
		]);
		expect(new Set(may.map((permission) => permission.Principal))).toEqual(new Set(["events.amazonaws.com"]));
	});

	test("goes out through the gateways of its own subnets, and lets nothing in", () => {
		const { get } = stackOf();
		expect(get("Poller-Function").VpcConfig).toEqual({
			SubnetIds: ["Network-PollerSubnetA", "Network-PollerSubnetB"],
			SecurityGroupIds: ["Network-PollerGroup.GroupId"],
		});
		expect(get("Network-PollerGroup")).not.toHaveProperty("SecurityGroupIngress");
	});
});
