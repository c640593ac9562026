// Rules that every template keeps to: CloudFormation's, by cfn-lint, and ours.
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cfnLint } from "../fakes/cfn-lint.ts";
import { readTemplate, render } from "./template.ts";

const FOLDER = join(import.meta.dir, "..", "..", "cloudformation");
const names = readdirSync(FOLDER)
	.filter((name) => name.endsWith(".yaml"))
	.map((name) => name.replace(/\.yaml$/, ""));
const textOf = (name: string) => readFileSync(join(FOLDER, `${name}.yaml`), "utf8");

describe("every template", () => {
	test("is one that cfn-lint has nothing to say of", async () => {
		expect(names.length).toBeGreaterThan(2);
		expect(await cfnLint(...names.map((name) => join(FOLDER, `${name}.yaml`)))).toBe("");
	}, 120_000);

	test("would be told of if it were wrong", async () => {
		const folder = await mkdtemp(join(tmpdir(), "mayfly-cfn-"));
		const broken = join(folder, "broken.yaml");
		writeFileSync(broken, textOf("runners").replace("HttpTokens: required", "HttpTokens: yes"));
		expect(await cfnLint(broken)).toContain("is not one of ['optional', 'required']");
		await rm(folder, { recursive: true });
	}, 120_000);

	test.each(names)("%s has fewer than 400 lines and says what each part is for", (name) => {
		expect(textOf(name).split("\n").length).toBeLessThan(400);
		expect((readTemplate(name) as unknown as { Description: string }).Description.length).toBeGreaterThan(40);
	});
});

describe("machines", () => {
	const given = {
		Stack: "prod",
		Vpc: "vpc-0a",
		ImageX64: "ami-0a",
		ImageArm64: "ami-0b",
		MailboxUrl: "https://b.s3.eu-west-1.amazonaws.com",
	};
	const { resources } = render(readTemplate("runners"), given);
	const templates = Object.values(resources)
		.filter(({ Type }) => Type === "AWS::EC2::LaunchTemplate")
		.map(({ Properties }) => (Properties as unknown as { LaunchTemplateData: Record<string, unknown> }).LaunchTemplateData);

	test("have no role, IMDSv2 alone and one hop of it, no tags there, and are gone when they go off", () => {
		expect(templates).toHaveLength(2);
		for (const data of templates) {
			expect(data).not.toHaveProperty("IamInstanceProfile");
			expect(data).not.toHaveProperty("KeyName");
			expect(data).toMatchObject({
				InstanceInitiatedShutdownBehavior: "terminate",
				MetadataOptions: {
					HttpTokens: "required",
					HttpPutResponseHopLimit: 1,
					HttpProtocolIpv6: "disabled",
					InstanceMetadataTags: "disabled",
				},
			});
		}
	});

	test("differ by their image alone", () => {
		const [one, other] = templates.map(({ ImageId: _, ...rest }) => rest);
		expect(one).toEqual(other as Record<string, unknown>);
		expect(templates.map(({ ImageId }) => ImageId)).toEqual(["ami-0a", "ami-0b"]);
	});

	test("are told nothing that is one machine's own, and no secret", () => {
		expect(templates.map(({ UserData }) => UserData)).toEqual(Array(2).fill(`MAYFLY_MAILBOX_URL=${given.MailboxUrl}\n`));
	});

	test("let nobody in, and go out on two ports", () => {
		const group = resources.SecurityGroup?.Properties as Record<string, unknown>;
		expect(group).not.toHaveProperty("SecurityGroupIngress");
		expect(
			(group.SecurityGroupEgress as { FromPort: number; ToPort: number; IpProtocol: string }[]).map(({ FromPort, ToPort, IpProtocol }) => [
				IpProtocol,
				FromPort,
				ToPort,
			]),
		).toEqual([
			["tcp", 443, 443],
			["tcp", 80, 80],
		]);
	});
});
