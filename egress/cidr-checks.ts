// What an operator may give as ranges of addresses, refused with a reason before anything is deployed. Pure.
import type { ConfigProblem } from "../contract/config-checks.ts";

/** A range of IPv4 addresses, as its first and last address. */
interface Range {
	first: number;
	last: number;
	/** Length of the prefix. */
	length: number;
}
type CidrReading = { ok: true; range: Range } | { ok: false; reason: string };

/** The stack's ranges, as parameters of root.yaml have them, and what must stay free. */
export interface Addresses {
	/** `Cidr`: what the stack cuts its subnets from. */
	cidr: string;
	/** `SshCidr`: from where people may open machines; empty: from nowhere. */
	sshCidr?: string;
	/** Ranges that somebody else has: the given VPC's other subnets, peers, an office that is reached by VPN. */
	taken?: readonly { name: string; cidr: string }[];
}

/** RFC 1918: the ranges that the network's ACLs and the gateways keep machines off. */
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
/** The plan cuts 16 blocks, and block 0 again by 8: of a /20 that leaves /27, the smallest that holds a gateway and what AWS keeps. */
const [WIDEST, NARROWEST] = [16, 20];
/** Wider than any one company's network. */
const WIDEST_SSH = 8;

const textOf = (address: number) => [24, 16, 8, 0].map((bits) => (address >>> bits) & 255).join(".");

/** Reads `10.0.0.0/16`. A range is written from its first address on: anything else is more likely a slip than a wish. */
export function readCidr(text: string): CidrReading {
	const refuse = (reason: string): CidrReading => ({ ok: false, reason: `${JSON.stringify(text)} ${reason}` });
	const [, ...parts] = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\/(0|[1-9]\d?)$/.exec(text) ?? [];
	const [length = 33, ...bytes] = [parts[4], ...parts.slice(0, 4)].map(Number);
	if (parts.length === 0 || length > 32 || bytes.some((byte) => byte > 255)) return refuse("is no range of IPv4 addresses like 10.77.0.0/16");
	const address = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
	const size = 2 ** (32 - length);
	const first = address - (address % size);
	if (first !== address) return refuse(`does not begin where a /${length} begins: ${textOf(first)}/${length}`);
	return { ok: true, range: { first, last: first + size - 1, length } };
}

const overlap = (one: Range, other: Range) => one.first <= other.last && other.first <= one.last;
const isWithin = (inner: Range, outer: Range) => outer.first <= inner.first && inner.last <= outer.last;

function rangeOf(text: string): Range {
	const read = readCidr(text);
	if (!read.ok) throw new Error(read.reason);
	return read.range;
}

/** Every problem of the ranges at once; `path` is the parameter, or `taken.` and the name of what is in the way. */
export function addressProblems({ cidr, sshCidr = "", taken = [] }: Addresses): ConfigProblem[] {
	const problems: ConfigProblem[] = [];
	const read = (path: string, text: string): Range | null => {
		const reading = readCidr(text);
		if (!reading.ok) problems.push({ path, reason: reading.reason });
		return reading.ok ? reading.range : null;
	};
	const own = read("Cidr", cidr);
	if (own) {
		if (own.length < WIDEST || own.length > NARROWEST)
			problems.push({ path: "Cidr", reason: `a /${own.length}: the stack's subnets need a /${WIDEST} to /${NARROWEST}` });
		if (!PRIVATE.some((range) => isWithin(own, rangeOf(range))))
			problems.push({ path: "Cidr", reason: `${cidr} is not private: it must lie in ${PRIVATE.join(", ")}` });
	}
	const ssh = sshCidr === "" ? null : read("SshCidr", sshCidr);
	if (ssh && ssh.length < WIDEST_SSH)
		problems.push({ path: "SshCidr", reason: `${sshCidr} is ${ssh.length === 0 ? "everybody" : "far more than one network"}: name your own` });
	if (ssh && own && overlap(ssh, own))
		problems.push({ path: "SshCidr", reason: `${sshCidr} overlaps Cidr ${cidr}: machines could open each other` });
	for (const { name, cidr: other } of taken) {
		const range = read(`taken.${name}`, other);
		if (range && own && overlap(range, own)) problems.push({ path: "Cidr", reason: `${cidr} overlaps ${other}, which is ${name}` });
	}
	return problems;
}
