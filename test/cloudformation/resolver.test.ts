// What the VPC's resolver answers, and what is written down of it.
import { describe, expect, test } from "bun:test";
import { type Stack, stackOf } from "./stack.ts";

describe("the resolver", () => {
	interface Rule {
		Priority: number;
		Action: string;
		BlockResponse?: string;
		FirewallDomainListId: string;
		FirewallDomainRedirectionAction?: string;
	}
	const rules = ({ get }: Stack) =>
		(get("Egress-FirewallRules").FirewallRules as unknown as Rule[])
			.toSorted((one, other) => one.Priority - other.Priority)
			.map(({ Action, FirewallDomainListId, BlockResponse, FirewallDomainRedirectionAction }) =>
				[Action, FirewallDomainListId.replace("Egress-", ""), BlockResponse ?? FirewallDomainRedirectionAction].filter(Boolean).join(" "),
			);
	const LISTS = { domainFile: "s3://artifacts/domains.txt" };
	const ALLOW = ["ALLOW OwnDomains TRUST_REDIRECTION_DOMAIN", "ALLOW ListedDomains TRUST_REDIRECTION_DOMAIN"];

	test("answers for what is listed, and says of everything else that there is no such name", () => {
		expect(rules(stackOf({}, LISTS))).toEqual([...ALLOW, "BLOCK AllDomains NXDOMAIN"]);
		expect(stackOf({}, LISTS).get("Egress-ListedDomains").DomainFileUrl).toBe("s3://artifacts/domains.txt");
		expect(stackOf().get("Egress-AllDomains").Domains).toEqual(["*"]);
		expect(stackOf().get("Egress-FirewallOfVpc")).toMatchObject({ FirewallRuleGroupId: "Egress-FirewallRules", VpcId: "Network-Vpc" });
	});

	test("knows what the stack needs itself before there is any list", () => {
		expect(rules(stackOf())).toEqual(["ALLOW OwnDomains TRUST_REDIRECTION_DOMAIN", "BLOCK AllDomains NXDOMAIN"]);
		expect(stackOf().get("Egress-OwnDomains").Domains).toEqual(
			["Mailbox-Bucket.s3", "ec2", "logs", "secretsmanager"].map((host) => `${host}.eu-west-1.amazonaws.com`),
		);
	});

	test("tells of the rest while it is observed, and is let alone when the way out is open or the VPC is somebody else's", () => {
		expect(rules(stackOf({ EgressMode: "observe" }, LISTS))).toEqual([...ALLOW, "ALERT AllDomains"]);
		const given = { VpcId: "vpc-0f0f", InternetGatewayId: "igw-0f0f", DnsFirewall: "off" };
		for (const made of [stackOf({ EgressMode: "open" }, LISTS), stackOf(given, LISTS)])
			for (const type of ["FirewallRuleGroup", "FirewallRuleGroupAssociation", "FirewallDomainList"])
				expect(made.names(`Route53Resolver::${type}`)).toEqual([]);
	});

	test("is logged in any case, by a policy for this log and this account alone", () => {
		for (const EgressMode of ["enforce", "open"]) {
			const { get } = stackOf({ EgressMode });
			expect(get("Egress-QueryLogOfVpc")).toEqual({ ResolverQueryLogConfigId: "Egress-QueryLog", ResourceId: "Network-Vpc" });
			expect(JSON.parse(String(get("Egress-QueryLogMayWrite").PolicyDocument)).Statement).toEqual([
				{
					...{ Sid: "QueryLog", Effect: "Allow", Principal: { Service: "delivery.logs.amazonaws.com" } },
					Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
					Resource: "arn:aws:logs:eu-west-1:111122223333:log-group:/mayfly/mayfly/dns:*",
					Condition: { StringEquals: { "aws:SourceAccount": "111122223333" } },
				},
			]);
		}
	});
});
