// EC2 as a gateway uses it: its peers, the zones' routes, and the one thing that it changes. Touches the network.
import { DescribeInstancesCommand, DescribeRouteTablesCommand, EC2Client, ReplaceRouteCommand } from "@aws-sdk/client-ec2";
import type { AwsCredentials } from "../aws/request.ts";
import type { Peer, Routes } from "./sight.ts";

/** A call that EC2 refused or did not answer. */
export class Ec2Error extends Error {
	override name = "Ec2Error";
	constructor(call: string, cause: unknown) {
		const { name = "unknown", message = "" } = cause as Partial<Error>;
		super(`${call}: ${name} ${message.slice(0, 300)}`.trim(), { cause });
	}
}

export interface Ec2 {
	/** Both at once. Throws Ec2Error. */
	tell(): Promise<{ peers: Peer[]; routes: Routes }>;
	/** Leads a zone's default route to an instance. Throws Ec2Error. */
	lead(zone: string, instanceId: string): Promise<void>;
}

export interface Ec2Options {
	region: string;
	endpoint: string | null;
	credentials: () => Promise<AwsCredentials>;
	stack: string;
	/** By zone. */
	routeTables: Record<string, string>;
}

const EVERYWHERE = "0.0.0.0/0";
/** A gateway that waits longer for EC2 than it waits for its peers is of no use to them. */
const TIMEOUT_MS = 4000;

export function createEc2({ region, endpoint, credentials, stack, routeTables }: Ec2Options): Ec2 {
	const client = new EC2Client({ region, credentials, maxAttempts: 2, ...(endpoint && { endpoint }) });
	const within = () => ({ abortSignal: AbortSignal.timeout(TIMEOUT_MS) });
	const zoneOf = new Map(Object.entries(routeTables).map(([zone, table]) => [table, zone]));
	const failing = async <T>(call: string, answer: Promise<T>) =>
		await answer.catch((error: unknown) => {
			throw new Ec2Error(call, error);
		});

	async function peers(): Promise<Peer[]> {
		const Filters = [
			{ Name: "tag:mayfly:gateway", Values: [stack] },
			{ Name: "instance-state-name", Values: ["running"] },
		];
		const { Reservations = [] } = await failing("DescribeInstances", client.send(new DescribeInstancesCommand({ Filters }), within()));
		return Reservations.flatMap(({ Instances = [] }) => Instances).flatMap(({ InstanceId, PrivateIpAddress, LaunchTime, Tags = [] }) => {
			const zone = Tags.find(({ Key }) => Key === "mayfly:zone")?.Value;
			if (!InstanceId || !PrivateIpAddress || !zone) return [];
			return [{ instanceId: InstanceId, zone, privateIp: PrivateIpAddress, launchedAt: LaunchTime?.getTime() ?? 0 }];
		});
	}

	async function routes(): Promise<Routes> {
		const RouteTableIds = Object.values(routeTables);
		const asked = new DescribeRouteTablesCommand({ RouteTableIds });
		const { RouteTables = [] } = await failing("DescribeRouteTables", client.send(asked, within()));
		return Object.fromEntries(
			RouteTables.flatMap(({ RouteTableId = "", Routes: all = [] }) => {
				const zone = zoneOf.get(RouteTableId);
				const target = all.find(({ DestinationCidrBlock }) => DestinationCidrBlock === EVERYWHERE)?.InstanceId ?? null;
				return zone === undefined ? [] : [[zone, target] as const];
			}),
		);
	}

	return {
		async tell() {
			const [itsPeers, itsRoutes] = await Promise.all([peers(), routes()]);
			return { peers: itsPeers, routes: itsRoutes };
		},
		async lead(zone, InstanceId) {
			const asked = new ReplaceRouteCommand({ RouteTableId: routeTables[zone], DestinationCidrBlock: EVERYWHERE, InstanceId });
			await failing("ReplaceRoute", client.send(asked, within()));
		},
	};
}
