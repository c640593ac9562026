// What must hold of the whole stack, however an operator has it: every resource of root.yaml and of everything nested in it, rendered.
import { describe, expect, test } from "bun:test";
import { propertiesOfTypes } from "../fakes/cfn-lint.ts";
import { patterns, type Role, wideChanges } from "./iam.ts";
import { type Found, renderStack, resourcesOf, VARIANTS } from "./stack.ts";

const ALL = VARIANTS.map(([name, given, deployed]): [name: string, resources: Found[], cidr: string] => {
	return [name, resourcesOf(renderStack(given, deployed)), String(given.Cidr ?? "10.77.0.0/16")];
});
const of = (resources: Found[], ...types: string[]) => resources.filter(({ Type }) => types.includes(Type.replace("AWS::", "")));
const namesOf = (resources: Found[]) => resources.map(({ name }) => name).toSorted();
interface Ingress {
	CidrIp?: string;
	CidrIpv6?: string;
	SourceSecurityGroupId?: string;
	FromPort: number;
}
interface LaunchTemplateData {
	IamInstanceProfile?: unknown;
	KeyName?: string;
	MetadataOptions: Record<string, unknown>;
	NetworkInterfaces?: unknown;
}
const dataOf = ({ properties }: Found) => properties.LaunchTemplateData as unknown as LaunchTemplateData;

describe.each(ALL)("a stack %s", (name, resources, cidr) => {
	test("lets nobody in from outside", () => {
		const inline = of(resources, "EC2::SecurityGroup").flatMap(
			({ properties }) => (properties.SecurityGroupIngress ?? []) as unknown as Ingress[],
		);
		const apart = of(resources, "EC2::SecurityGroupIngress").map(({ properties }) => properties as unknown as Ingress);
		for (const { CidrIp, CidrIpv6, SourceSecurityGroupId } of [...inline, ...apart]) {
			expect(CidrIpv6).toBeUndefined();
			expect(SourceSecurityGroupId ?? CidrIp).toBe(SourceSecurityGroupId ?? cidr);
		}
		expect(of(resources, "Lambda::Url", "ElasticLoadBalancingV2::LoadBalancer", "ApiGateway::RestApi", "ApiGatewayV2::Api")).toEqual([]);
	});

	test("lets no security group be the default one, which lets everything out", () => {
		for (const { properties } of of(resources, "EC2::SecurityGroup")) {
			const out = properties.SecurityGroupEgress as unknown as (Ingress & { IpProtocol: string })[];
			expect(out.length).toBeGreaterThan(0);
			expect(out.every(({ IpProtocol, FromPort }) => IpProtocol === "tcp" && [22, 80, 443, 3128].includes(FromPort))).toBe(true);
		}
	});

	test("gives no machine an address that the internet knows, and nobody an IPv6 one", () => {
		const subnets = of(resources, "EC2::Subnet");
		expect(subnets.map(({ properties }) => properties.MapPublicIpOnLaunch)).toEqual(subnets.map(() => false));
		for (const template of of(resources, "EC2::LaunchTemplate")) expect(dataOf(template)).not.toHaveProperty("NetworkInterfaces");
		// An address of IPv6 as something that is switched on, whichever the property.
		expect(JSON.stringify(resources)).not.toMatch(/::\/0|"Ipv6|AssignIpv6|EgressOnly|AmazonProvidedIpv6CidrBlock/);
	});

	test("has one way out: the internet gateway is the gateways' alone, and all other routes lead to them", () => {
		const routes = of(resources, "EC2::Route").map(({ properties }) => properties);
		const behind = of(resources, "EC2::RouteTable").filter((table) => !table.name.endsWith("PublicRoutes"));
		const out = routes.filter(({ GatewayId }) => GatewayId !== undefined);
		expect(out.map(({ RouteTableId, DestinationCidrBlock }) => [RouteTableId, DestinationCidrBlock])).toEqual([
			["Network-PublicRoutes", "0.0.0.0/0"],
		]);
		expect(routes.filter(({ InstanceId }) => InstanceId !== undefined).map(({ RouteTableId }) => RouteTableId)).toEqual(namesOf(behind));
		const open = of(resources, "EC2::SubnetRouteTableAssociation").filter(
			({ properties }) => properties.RouteTableId === "Network-PublicRoutes",
		);
		expect(open.every(({ properties }) => /^Network-GatewaySubnet[ABC]$/.test(String(properties.SubnetId)))).toBe(true);
		expect(of(resources, "EC2::NatGateway", "EC2::EgressOnlyInternetGateway", "EC2::VPCPeeringConnection")).toEqual([]);
	});

	test("starts nothing with a key, with IMDSv1 or with metadata for containers", () => {
		const templates = of(resources, "EC2::LaunchTemplate").map(dataOf);
		expect(templates.length).toBeGreaterThan(2);
		for (const data of templates) {
			expect(data).not.toHaveProperty("KeyName");
			expect(data.MetadataOptions).toMatchObject({ HttpTokens: "required", HttpPutResponseHopLimit: 1, HttpProtocolIpv6: "disabled" });
			expect(data.MetadataOptions.InstanceMetadataTags).toBe("disabled");
		}
		for (const { properties } of of(resources, "EC2::Instance"))
			expect(properties.LaunchTemplate).toMatchObject({ LaunchTemplateId: "Egress-Template" });
	});

	test("gives a role to gateways, and to machines only where a tier names one", () => {
		const withRole = of(resources, "EC2::LaunchTemplate").filter((template) => dataOf(template).IamInstanceProfile !== undefined);
		const tiers = name === "with everything" ? ["Runners-RoleTemplateArm64", "Runners-RoleTemplateX64"] : [];
		expect(namesOf(withRole)).toEqual(["Egress-Template", ...tiers]);
		const profile = { Arn: "arn:aws:iam::111122223333:instance-profile/mayfly-deploy" };
		for (const template of withRole.filter((one) => one.name !== "Egress-Template"))
			expect(dataOf(template).IamInstanceProfile).toEqual(profile);
	});

	test("changes nothing on every resource by any of its roles, and lets no wildcard into their actions", () => {
		const roles = of(resources, "IAM::Role");
		expect(namesOf(roles)).toEqual(["Egress-Role", "Network-FlowRole", "Poller-Role"]);
		for (const { properties } of roles) {
			expect(properties).not.toHaveProperty("ManagedPolicyArns");
			const statements = (properties as unknown as Role).Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
			expect(wideChanges(statements)).toEqual([]);
			expect(patterns(statements)).toEqual([]);
		}
		expect(of(resources, "IAM::User", "IAM::AccessKey", "IAM::Policy", "IAM::Group")).toEqual([]);
	});

	test("keeps every log for a time and no longer, and keeps it when the stack goes", () => {
		const groups = of(resources, "Logs::LogGroup");
		expect(groups.map(({ properties }) => properties.LogGroupName).toSorted()).toEqual(
			["dns", "flow", "gateway", "poller", "proxy"].map((log) => `/mayfly/mayfly/${log}`),
		);
		for (const { properties, DeletionPolicy } of groups)
			expect([properties.RetentionInDays, DeletionPolicy]).toEqual([30, "RetainExceptOnCreate"]);
	});

	test("logs what each of its subnets behind gateways is connected to", () => {
		const logged = of(resources, "EC2::FlowLog").map(({ properties }) => String(properties.ResourceId));
		const behind = of(resources, "EC2::Subnet").filter((subnet) => !/GatewaySubnet/.test(subnet.name));
		expect(logged.toSorted()).toEqual(namesOf(behind));
	});
});

test("everything that can carry a tag carries the stack's", async () => {
	const everything = ALL.flatMap(([, resources]) => resources);
	const types = await propertiesOfTypes(...new Set(everything.map(({ Type }) => Type)));
	// A nested stack would hand its tags on to the gateways, and by this one the poller ends machines. Alarms are found by their names.
	const exempt = ["CloudFormation::Stack", "EC2::Instance", "CloudWatch::Alarm", "CloudWatch::Dashboard"].map((type) => `AWS::${type}`);
	const taggable = everything.filter(({ Type }) => types[Type]?.includes("Tags") && !exempt.includes(Type));
	expect(taggable.length).toBeGreaterThan(100);
	const tag = '{"Key":"mayfly:stack","Value":"mayfly"}';
	expect(taggable.filter(({ properties }) => !JSON.stringify(properties.Tags ?? []).includes(tag)).map(({ name }) => name)).toEqual([]);
	const templates = everything.filter(({ Type }) => Type === "AWS::EC2::LaunchTemplate");
	expect(templates.every(({ properties }) => JSON.stringify(properties.TagSpecifications).includes(tag))).toBe(true);
}, 120_000);
