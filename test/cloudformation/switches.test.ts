// What an operator's choices change in the stack.
import { describe, expect, test } from "bun:test";
import { stackOf } from "./stack.ts";

describe("a VPC that exists", () => {
	const { get, names } = stackOf({ VpcId: "vpc-0f0f", InternetGatewayId: "igw-0f0f", Cidr: "172.20.16.0/20" });

	test("is taken as it is, with its own internet gateway", () => {
		expect([...names("EC2::VPC"), ...names("EC2::InternetGateway"), ...names("EC2::VPCGatewayAttachment")]).toEqual([]);
		expect(get("Network-PublicDefaultOfGiven")).toMatchObject({ GatewayId: "igw-0f0f", RouteTableId: "Network-PublicRoutes" });
		for (const name of [...names("EC2::Subnet"), ...names("EC2::RouteTable"), ...names("EC2::SecurityGroup"), ...names("EC2::NetworkAcl")])
			expect(get(name).VpcId).toBe("vpc-0f0f");
	});
});

describe("SSH", () => {
	test("is off, with nothing of it there, unless the operator says from where", () => {
		const off = stackOf();
		expect([...off.names("EC2::InstanceConnectEndpoint"), ...off.names("IAM::ManagedPolicy"), off.outputs.SshPolicyArn]).toEqual([
			undefined,
		]);
		const on = stackOf({ SshCidr: "203.0.113.0/24" });
		expect(on.outputs.SshPolicyArn).toBe("Ssh-Policy");
		expect(on.get("Ssh-ToMachines")).toMatchObject({
			...{ GroupId: "Runners-SecurityGroup.GroupId", IpProtocol: "tcp", FromPort: 22, ToPort: 22 },
			SourceSecurityGroupId: "Ssh-Group.GroupId",
		});
	});
});

test("the operator is told what comes next", () => {
	const { outputs } = stackOf();
	expect(Object.keys(outputs).toSorted()).toEqual(
		[
			"AlarmTopic",
			"DashboardUrl",
			"DnsLogGroup",
			"FlowLogGroup",
			"GatewayAddresses",
			"GatewayLogGroup",
			"MailboxBucket",
			"PollerFunction",
		].concat(["PollerLogGroup", "ProxyLogGroup"]),
	);
	expect(outputs.GatewayAddresses).toBe("Egress-AddressA,Egress-AddressB");
});
