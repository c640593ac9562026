// Packets on their way through the network ACLs, one by one: ACLs keep no connections, so each way is asked for by itself.
import { describe, expect, test } from "bun:test";
import { type Packet, passes } from "./packets.ts";
import { type Found, renderStack, resourcesOf, stackOf } from "./stack.ts";

const MACHINE = "10.77.16.9";
const OTHER_TIER = "10.77.64.9";
const POLLER = "10.77.6.9";
const [GATEWAY, OTHER_GATEWAY] = ["10.77.0.9", "10.77.2.9"];
const GITHUB = "140.82.112.3";
const PEER = "10.200.0.9";

const [BEHIND, GATEWAYS] = ["Acl-Behind", "Acl-Gateways"];
const plain = resourcesOf(renderStack());
const withSsh = resourcesOf(renderStack({ SshCidr: "203.0.113.0/24" }));
const elsewhere = resourcesOf(renderStack({ Cidr: "100.64.0.0/16" }));
const tcp = (from: string, to: string, port: number): Packet => ({ protocol: "tcp", from, to, port });
const EPHEMERAL = 41_234;
type Case = [what: string, acl: string, way: "in" | "out", packet: Packet, passes: boolean];

/** A machine's packet keeps GitHub's address as its destination on its way to the gateway, and the answer has it as its source. */
const THROUGH: Case[] = [
	["a machine's request leaves it", BEHIND, "out", tcp(MACHINE, GITHUB, 443), true],
	["and comes to the gateway", GATEWAYS, "in", tcp(MACHINE, GITHUB, 443), true],
	["which asks GitHub itself", GATEWAYS, "out", tcp(GATEWAY, GITHUB, 443), true],
	["and is answered", GATEWAYS, "in", tcp(GITHUB, GATEWAY, EPHEMERAL), true],
	["it answers in GitHub's name", GATEWAYS, "out", tcp(GITHUB, MACHINE, EPHEMERAL), true],
	["and the machine hears it", BEHIND, "in", tcp(GITHUB, MACHINE, EPHEMERAL), true],
	["the poller's request leaves it", BEHIND, "out", tcp(POLLER, GITHUB, 443), true],
	["and is answered", BEHIND, "in", tcp(GITHUB, POLLER, EPHEMERAL), true],
	["a package list over HTTP", BEHIND, "out", tcp(MACHINE, "151.101.2.132", 80), true],
	["a gateway asks another whether it is well", GATEWAYS, "out", tcp(GATEWAY, OTHER_GATEWAY, 3128), true],
	["which hears it", GATEWAYS, "in", tcp(GATEWAY, OTHER_GATEWAY, 3128), true],
	["and answers", GATEWAYS, "in", tcp(OTHER_GATEWAY, GATEWAY, EPHEMERAL), true],
];
const CUT: Case[] = [
	["a machine to the other tier", BEHIND, "out", tcp(MACHINE, OTHER_TIER, 443), false],
	["from it", BEHIND, "in", tcp(OTHER_TIER, MACHINE, EPHEMERAL), false],
	["a machine to the poller", BEHIND, "out", tcp(MACHINE, POLLER, 443), false],
	["a machine to a gateway by its own address", BEHIND, "out", tcp(MACHINE, GATEWAY, 443), false],
	["a machine to a gateway's health", BEHIND, "out", tcp(MACHINE, GATEWAY, 3128), false],
	["a machine to a peer of the VPC", BEHIND, "out", tcp(MACHINE, PEER, 443), false],
	["a machine to the office over a VPN", BEHIND, "out", tcp(MACHINE, "192.168.1.1", 443), false],
	["a machine to 172.16", BEHIND, "out", tcp(MACHINE, "172.31.0.1", 80), false],
	["a machine to carriers' addresses", BEHIND, "out", tcp(MACHINE, "100.100.0.1", 443), false],
	["a peer to a machine", BEHIND, "in", tcp(PEER, MACHINE, EPHEMERAL), false],
	["a machine's SSH to GitHub", BEHIND, "out", tcp(MACHINE, GITHUB, 22), false],
	["a machine's QUIC", BEHIND, "out", { ...tcp(MACHINE, GITHUB, 443), protocol: "udp" }, false],
	["a machine's question to a foreign resolver", BEHIND, "out", { ...tcp(MACHINE, "8.8.8.8", 53), protocol: "udp" }, false],
	["a machine's ping", BEHIND, "out", { ...tcp(MACHINE, GITHUB, 0), protocol: "icmp" }, false],
	["somebody's SSH to a machine", BEHIND, "in", tcp("198.51.100.7", MACHINE, 22), false],
	["somebody's HTTPS to a machine", BEHIND, "in", tcp("198.51.100.7", MACHINE, 443), false],
	["somebody's HTTPS to a gateway", GATEWAYS, "in", tcp("198.51.100.7", GATEWAY, 443), false],
	["somebody's SSH to a gateway", GATEWAYS, "in", tcp("198.51.100.7", GATEWAY, 22), false],
	["a peer to a gateway", GATEWAYS, "in", tcp(PEER, GATEWAY, 3130), false],
	["a gateway to a peer", GATEWAYS, "out", tcp(GATEWAY, PEER, 443), false],
	["a gateway to a machine's SSH", GATEWAYS, "out", tcp(GATEWAY, MACHINE, 22), false],
	["a gateway to another port of GitHub", GATEWAYS, "out", tcp(GATEWAY, GITHUB, 22), false],
];

describe("network ACLs", () => {
	test.each(THROUGH)("let through: %s", (_, acl, way, packet, expected) => {
		expect(passes(plain, acl, way, packet)).toBe(expected);
		expect(passes(withSsh, acl, way, packet)).toBe(expected);
	});

	test.each(CUT)("cut: %s", (_, acl, way, packet, expected) => {
		expect(passes(plain, acl, way, packet)).toBe(expected);
	});

	test.each<Case>([
		["the endpoint to a machine", GATEWAYS, "out", tcp(GATEWAY, MACHINE, 22), true],
		["which comes in", BEHIND, "in", tcp(GATEWAY, MACHINE, 22), true],
		["and is answered", BEHIND, "out", tcp(MACHINE, GATEWAY, EPHEMERAL), true],
		["to the endpoint", GATEWAYS, "in", tcp(MACHINE, GATEWAY, EPHEMERAL), true],
		["a neighbour's SSH", BEHIND, "in", tcp(OTHER_TIER, MACHINE, 22), false],
		["somebody's SSH from where people may be", BEHIND, "in", tcp("203.0.113.7", MACHINE, 22), false],
		["SSH from another zone's gateway subnet", BEHIND, "in", tcp(OTHER_GATEWAY, MACHINE, 22), false],
	])("with SshCidr: %s", (_, acl, way, packet, expected) => {
		expect(passes(withSsh, acl, way, packet)).toBe(expected);
	});

	const PRIVATE = [
		"10.0.0.1",
		"10.255.255.254",
		"172.16.0.1",
		"172.31.255.254",
		"192.168.0.1",
		"192.168.255.254",
		"100.64.0.1",
		"100.127.255.254",
	];
	test.each(PRIVATE)("exchange nothing with %s, whichever way and port", (address) => {
		for (const port of [80, 443, EPHEMERAL]) {
			expect(passes(plain, BEHIND, "out", tcp(MACHINE, address, port))).toBe(false);
			expect(passes(plain, BEHIND, "in", tcp(address, MACHINE, port))).toBe(false);
			expect(passes(plain, GATEWAYS, "out", tcp(GATEWAY, address, port))).toBe(false);
			expect(passes(plain, GATEWAYS, "in", tcp(address, GATEWAY, port))).toBe(false);
		}
	});

	test("know the stack's own addresses, whichever they are", () => {
		expect(passes(elsewhere, BEHIND, "out", tcp("100.64.16.9", "100.64.64.9", 443))).toBe(false);
		expect(passes(elsewhere, GATEWAYS, "in", tcp("100.64.16.9", GITHUB, 443))).toBe(true);
		expect(passes(elsewhere, GATEWAYS, "out", tcp(GITHUB, "100.64.16.9", EPHEMERAL))).toBe(true);
	});

	test.each([
		["plain", plain],
		["with everything", resourcesOf(renderStack({ Zones: 3 }, { tiers: ["a", "b", "c", "d", "e"] }))],
	] as [string, Found[]][])("are those of every subnet: %s", (_, resources) => {
		const subnets = resources.filter(({ Type }) => Type === "AWS::EC2::Subnet").map(({ name }) => name);
		const held = resources.filter(({ Type }) => Type === "AWS::EC2::SubnetNetworkAclAssociation");
		expect(held.map(({ properties }) => properties.SubnetId).toSorted()).toEqual(subnets.toSorted());
		for (const { properties } of held)
			expect(properties.NetworkAclId).toBe(/GatewaySubnet/.test(String(properties.SubnetId)) ? GATEWAYS : BEHIND);
	});

	test("do not see neighbours in one subnet, which security groups keep apart", () => {
		const runners = stackOf().get("Runners-SecurityGroup");
		expect(runners.SecurityGroupEgress).toHaveLength(2);
		expect(runners).not.toHaveProperty("SecurityGroupIngress");
	});
});
