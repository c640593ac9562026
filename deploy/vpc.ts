// A VPC that exists already: which ranges it has, and which of them others use. Touches EC2.
import { DescribeVpcsCommand, EC2Client, paginateDescribeSubnets } from "@aws-sdk/client-ec2";
import { told } from "./errors.ts";

export interface VpcRanges {
	/** Those that are associated with it. */
	own: string[];
	/** Its subnets that are not this stack's. */
	taken: { name: string; cidr: string }[];
}
export type VpcReading = { ok: true; ranges: VpcRanges } | { ok: false; reason: string };

/** A caller who may not look is told so: CloudFormation then refuses what this would have. */
export async function readVpc(region: string, vpcId: string, stack: string, abortSignal?: AbortSignal): Promise<VpcReading> {
	const client = new EC2Client({ region });
	try {
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
		if (abortSignal?.aborted) throw error;
		return { ok: false, reason: told("DescribeVpcs, DescribeSubnets", vpcId, error) };
	} finally {
		client.destroy();
	}
}
