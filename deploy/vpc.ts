// A VPC that exists already: which ranges it has, which of them others use, and whether it gives the names of services that a stack needs private
// addresses. Touches EC2.
import { DescribeVpcsCommand, EC2Client, paginateDescribeSubnets, paginateDescribeVpcEndpoints } from "@aws-sdk/client-ec2";
import { Hindrance } from "./artifacts.ts";
import { told } from "./errors.ts";

export interface VpcRanges {
	/** Those that are associated with it. */
	own: string[];
	/** Its subnets that are not this stack's. */
	taken: { name: string; cidr: string }[];
}
export type VpcReading = { ok: true; ranges: VpcRanges } | { ok: false; reason: string };

/** What pollers and gateways ask, by names that must lead to public addresses: gateways pass no others. */
const ASKED = ["ec2", "logs", "secretsmanager"];
/** EC2 lists endpoints for a while that are gone. */
const GONE = /^(deleting|deleted|rejected|failed|expired)$/i;

/** `vpce-1 (logs)` for each endpoint by which one of those names leads to a private address. */
async function privateNames(client: EC2Client, region: string, vpcId: string): Promise<string[]> {
	const found: string[] = [];
	for await (const { VpcEndpoints = [] } of paginateDescribeVpcEndpoints({ client }, { Filters: [{ Name: "vpc-id", Values: [vpcId] }] }))
		for (const { VpcEndpointId = "", ServiceName = "", State = "", PrivateDnsEnabled = false } of VpcEndpoints) {
			const service = ASKED.find((one) => ServiceName.endsWith(`.${region}.${one}`));
			if (PrivateDnsEnabled && !GONE.test(State) && service !== undefined) found.push(`${VpcEndpointId} (${service})`);
		}
	return found;
}

/**
 * A caller who may not look is told so: CloudFormation then refuses what this would have. Throws a Hindrance for private names, which CloudFormation
 * does not see: the stack would be made, and stand still.
 */
export async function readVpc(region: string, vpcId: string, stack: string, abortSignal?: AbortSignal): Promise<VpcReading> {
	const client = new EC2Client({ region });
	try {
		const hidden = await privateNames(client, region, vpcId);
		if (hidden.length > 0)
			throw new Hindrance(
				`VpcId: ${vpcId} gives names private addresses by ${hidden.join(", ")}, where the gateways let neither pollers nor themselves: turn off private DNS of ${hidden.length === 1 ? "that endpoint" : "those endpoints"}, or take another VPC`,
			);
		const { Vpcs = [] } = await client.send(new DescribeVpcsCommand({ VpcIds: [vpcId] }), { abortSignal });
		const own = Vpcs.flatMap(({ CidrBlockAssociationSet = [] }) =>
			CidrBlockAssociationSet.flatMap(({ CidrBlock, CidrBlockState }) =>
				CidrBlock && CidrBlockState?.State === "associated" ? [CidrBlock] : [],
			),
		);
		const taken: VpcRanges["taken"] = [];
		for await (const { Subnets = [] } of paginateDescribeSubnets({ client }, { Filters: [{ Name: "vpc-id", Values: [vpcId] }] }))
			for (const { SubnetId = "", CidrBlock, Tags = [] } of Subnets) {
				const tag = (name: string) => Tags.find(({ Key }) => Key === name)?.Value;
				const name = tag("Name");
				if (CidrBlock && tag("mayfly:stack") !== stack) taken.push({ name: name ? `${SubnetId} (${name})` : SubnetId, cidr: CidrBlock });
			}
		return { ok: true, ranges: { own, taken } };
	} catch (error) {
		if (abortSignal?.aborted || error instanceof Hindrance) throw error;
		return { ok: false, reason: told("DescribeVpcEndpoints, DescribeVpcs, DescribeSubnets", vpcId, error) };
	} finally {
		client.destroy();
	}
}
