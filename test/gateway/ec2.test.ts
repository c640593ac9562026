// A gateway's calls to EC2, answered by moto: other hands' reading of the API.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
	CreateRouteCommand,
	CreateRouteTableCommand,
	CreateSubnetCommand,
	CreateVpcCommand,
	EC2Client,
	RunInstancesCommand,
	TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { createEc2 } from "../../gateway/ec2.ts";
import { installMoto, type Moto, startMoto } from "../fakes/moto.ts";

const LONG = 240_000;
const credentials = { accessKeyId: "AK", secretAccessKey: "secret" };
let moto: Moto;
let client: EC2Client;
beforeAll(async () => {
	await installMoto();
	moto = await startMoto();
	client = new EC2Client({ region: "eu-west-1", credentials, endpoint: moto.url });
}, LONG);
afterAll(() => moto.stop());

async function stackOf(zones: readonly string[], stack: string) {
	const { Vpc } = await client.send(new CreateVpcCommand({ CidrBlock: "10.77.0.0/16" }));
	const { Subnet } = await client.send(new CreateSubnetCommand({ VpcId: Vpc?.VpcId, CidrBlock: "10.77.0.0/23" }));
	const instances: Record<string, string> = {};
	const routeTables: Record<string, string> = {};
	for (const zone of zones) {
		const Tags = Object.entries({ "mayfly:gateway": stack, "mayfly:zone": zone }).map(([Key, Value]) => ({ Key, Value }));
		const asked = { ImageId: "ami-12c6146b", MinCount: 1, MaxCount: 1, SubnetId: Subnet?.SubnetId };
		const ran = await client.send(new RunInstancesCommand({ ...asked, TagSpecifications: [{ ResourceType: "instance", Tags }] }));
		const InstanceId = ran.Instances?.[0]?.InstanceId ?? "";
		const { RouteTable } = await client.send(new CreateRouteTableCommand({ VpcId: Vpc?.VpcId }));
		const RouteTableId = RouteTable?.RouteTableId ?? "";
		[instances[zone], routeTables[zone]] = [InstanceId, RouteTableId];
		await client.send(new CreateRouteCommand({ RouteTableId, DestinationCidrBlock: "0.0.0.0/0", InstanceId }));
	}
	return { instances, routeTables };
}

const gatewayOf = (stack: string, routeTables: Record<string, string>) =>
	createEc2({ region: "eu-west-1", endpoint: moto.url, credentials: async () => credentials, stack, routeTables });

describe("a gateway at EC2", () => {
	test(
		"is told the running gateways of its stack and where its zones' routes lead, and leads one to another instance",
		async () => {
			const { instances, routeTables } = await stackOf(["a", "b"], "one");
			await stackOf(["a"], "another");
			const ec2 = gatewayOf("one", routeTables);
			const { peers, routes } = await ec2.tell();
			expect(peers.map(({ zone, instanceId }) => [zone, instanceId]).toSorted()).toEqual(Object.entries(instances).toSorted());
			for (const peer of peers) expect([/^10\.77\./.test(peer.privateIp), peer.launchedAt > 0]).toEqual([true, true]);
			expect(routes).toEqual(instances);
			await ec2.lead("a", instances.b ?? "");
			expect((await ec2.tell()).routes).toEqual({ a: instances.b ?? "", b: instances.b ?? "" });
		},
		LONG,
	);

	test(
		"hears nothing of a gateway that is terminated",
		async () => {
			const { instances, routeTables } = await stackOf(["a", "b"], "three");
			await client.send(new TerminateInstancesCommand({ InstanceIds: [instances.a ?? ""] }));
			expect((await gatewayOf("three", routeTables).tell()).peers.map(({ zone }) => zone)).toEqual(["b"]);
		},
		LONG,
	);

	test("that refuses says which call and why", async () => {
		const ec2 = gatewayOf("one", { a: "rtb-00000000" });
		expect(await ec2.tell().catch(String)).toContain("DescribeRouteTables: InvalidRouteTableID.NotFound");
		expect(await ec2.lead("a", "i-00000000").catch(String)).toContain("ReplaceRoute: ");
	});
});
