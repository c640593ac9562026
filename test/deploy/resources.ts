// What templates ask for, and what a CloudFormation has made of it, in one form: `Network/Vpc AWS::EC2::VPC`.
import { CloudFormationClient, DescribeStackResourcesCommand, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { type Rendered, readTemplate, render } from "../cloudformation/template.ts";
import { CREDENTIALS, REGION } from "./account.ts";

export interface Made {
	/** Logical ids from the root on. */
	path: string;
	type: string;
	physicalId: string;
}
const STACK = "AWS::CloudFormation::Stack";

/** The root template for tiers and parameters, with all that is nested in it; conditions as they hold then. */
export function askedFor(tiers: string[], parameters: Record<string, string | number>): string[] {
	const root = readTemplate("root");
	const places = ["One", "Two", "Three", "Four", "Five"];
	const deployed = root.Mappings?.Deployed as Record<string, Record<string, string>>;
	deployed.Tiers = Object.fromEntries(places.map((place, at) => [place, tiers[at] ?? ""]));
	deployed.Egress = { DomainFile: "s3://bucket/key", Objects: "" };
	return flat(render(root, parameters), "").toSorted();
}

function flat({ resources, stacks }: Rendered, within: string): string[] {
	return [
		...Object.entries(resources).map(([name, { Type }]) => `${within}${name} ${Type}`),
		...Object.entries(stacks).flatMap(([name, nested]) => flat(nested, `${within}${name}/`)),
	];
}

export function cloudFormationOf(url: string): CloudFormationClient {
	return new CloudFormationClient({ endpoint: url, region: REGION, credentials: CREDENTIALS });
}

/** Everything that is there, nested stacks' parts behind their names. */
export async function madeIn(client: CloudFormationClient, stack: string, within = ""): Promise<Made[]> {
	const { StackResources = [] } = await client.send(new DescribeStackResourcesCommand({ StackName: stack }));
	// moto lists what it skips, without a name.
	const own = StackResources.flatMap(({ LogicalResourceId, ResourceType, PhysicalResourceId }) =>
		LogicalResourceId && ResourceType
			? [{ path: `${within}${LogicalResourceId}`, type: ResourceType, physicalId: PhysicalResourceId ?? "" }]
			: [],
	);
	const nested = own.filter(({ type }) => type === STACK).map(({ path, physicalId }) => madeIn(client, physicalId, `${path}/`));
	return [...own, ...(await Promise.all(nested)).flat()];
}

export async function outputsOf(client: CloudFormationClient, stack: string): Promise<Record<string, string>> {
	const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: stack }));
	return Object.fromEntries((Stacks[0]?.Outputs ?? []).map(({ OutputKey = "", OutputValue = "" }) => [OutputKey, OutputValue]));
}

/** How a service is asked for a resource by its id. */
export const QUERIES: Record<string, [service: string, action: string, parameter: string]> = {
	"AWS::EC2::VPC": ["ec2", "DescribeVpcs", "VpcId.1"],
	"AWS::EC2::Subnet": ["ec2", "DescribeSubnets", "SubnetId.1"],
	"AWS::EC2::RouteTable": ["ec2", "DescribeRouteTables", "RouteTableId.1"],
	"AWS::EC2::SecurityGroup": ["ec2", "DescribeSecurityGroups", "GroupId.1"],
	"AWS::EC2::LaunchTemplate": ["ec2", "DescribeLaunchTemplates", "LaunchTemplateId.1"],
	"AWS::EC2::Instance": ["ec2", "DescribeInstances", "InstanceId.1"],
	"AWS::EC2::InternetGateway": ["ec2", "DescribeInternetGateways", "InternetGatewayId.1"],
	"AWS::EC2::VPCEndpoint": ["ec2", "DescribeVpcEndpoints", "VpcEndpointId.1"],
	"AWS::EC2::FlowLog": ["ec2", "DescribeFlowLogs", "FlowLogId.1"],
	"AWS::IAM::Role": ["iam", "GetRole", "RoleName"],
	"AWS::IAM::InstanceProfile": ["iam", "GetInstanceProfile", "InstanceProfileName"],
	"AWS::SNS::Topic": ["sns", "GetTopicAttributes", "TopicArn"],
};

export async function isKnown(url: string, { type, physicalId }: Made): Promise<boolean> {
	const [service = "", Action = "", parameter = ""] = QUERIES[type] ?? [];
	const authorization = `AWS4-HMAC-SHA256 Credential=test/20260101/${REGION}/${service}/aws4_request`;
	const body = new URLSearchParams({ Action, Version: service === "ec2" ? "2016-11-15" : "2010-05-08", [parameter]: physicalId });
	const answer = await fetch(url, { method: "POST", headers: { authorization }, body });
	return (await answer.text()).includes(physicalId) && answer.ok;
}
