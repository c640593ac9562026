// Network ACLs as EC2 goes by them: a packet meets the rules of one way in the order of their numbers, and the first that fits decides. Pure.
import { isWithin, readCidr } from "../../contract/cidr.ts";
import type { Found } from "./stack.ts";

export interface Packet {
	/** `tcp`, or another protocol's number. */
	protocol: "tcp" | "udp" | "icmp";
	from: string;
	to: string;
	/** Of the destination. */
	port: number;
}
const NUMBERS = { tcp: 6, udp: 17, icmp: 1 };

function fits(properties: Found["properties"], { protocol, port }: Packet, peer: string): boolean {
	const range = readCidr(String(properties.CidrBlock));
	const address = readCidr(`${peer}/32`);
	if (!range || !address) throw new Error(`${properties.CidrBlock} or ${peer} is no address`);
	const ports = properties.PortRange as { From: number; To: number } | undefined;
	const known = Number(properties.Protocol) === -1 || Number(properties.Protocol) === NUMBERS[protocol];
	return known && isWithin(address, range) && (!ports || (port >= ports.From && port <= ports.To));
}

/** Whether an ACL, by its name, lets a packet into its subnets or out of them. */
export function passes(resources: Found[], acl: string, way: "in" | "out", packet: Packet): boolean {
	const peer = way === "in" ? packet.from : packet.to;
	const rules = resources
		.filter(({ Type, properties }) => Type === "AWS::EC2::NetworkAclEntry" && properties.NetworkAclId === acl)
		.filter(({ properties }) => Boolean(properties.Egress) === (way === "out"))
		.toSorted((one, other) => Number(one.properties.RuleNumber) - Number(other.properties.RuleNumber));
	// What no rule fits is denied.
	return rules.find(({ properties }) => fits(properties, packet, peer))?.properties.RuleAction === "allow";
}
