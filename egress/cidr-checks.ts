// What an operator may give as ranges of addresses, refused with a reason before anything is deployed. Pure.
import { type Cidr, cidrText, isWithin, overlap, readCidr } from "../contract/cidr.ts";
import type { ConfigProblem } from "../contract/config-checks.ts";
import { PRIVATE, subnetPlan } from "./plan.ts";

/** The stack's ranges, as parameters of root.yaml have them, and what must stay free. */
export interface Addresses {
	/** `Cidr`: what the stack cuts its subnets from. */
	cidr: string;
	/** `SshCidr`: from where people may open machines; empty: from nowhere. */
	sshCidr?: string;
	/** Ranges that somebody else has: the given VPC's other subnets, peers, an office that is reached by VPN. */
	taken?: readonly { name: string; cidr: string }[];
	/** The ranges of a VPC that exists already, all private, one of which `Cidr` must lie in. */
	within?: readonly string[];
}

/** Of the ranges that people come from: a /8. More is no one company's network. */
const MOST_SSH = 2 ** 24;

/** Why a text is no range. One that begins in the middle of itself is more likely a slip than a wish. */
function formProblem(text: string): string {
	const [, address = "", prefix = ""] = /^([0-9.]+)\/([0-9]+)$/.exec(text) ?? [];
	const own = readCidr(`${address}/32`);
	if (own === null || !/^([0-9]|[12][0-9]|3[0-2])$/.test(prefix))
		return `${JSON.stringify(text)} is no range of IPv4 addresses like 10.77.0.0/16`;
	const size = 2 ** (32 - Number(prefix));
	return `${text} does not begin where a /${prefix} begins: ${cidrText({ first: own.first - (own.first % size), size })}`;
}

/** Every problem of the ranges at once; `path` is the parameter (`VpcId` for ranges that the VPC has), or `taken.` and the name of what is in the way. */
export function addressProblems({ cidr, sshCidr = "", taken = [], within = [] }: Addresses): ConfigProblem[] {
	const problems: ConfigProblem[] = [];
	const read = (path: string, text: string): Cidr | null => {
		const range = readCidr(text);
		if (range === null) problems.push({ path, reason: formProblem(text) });
		return range;
	};
	const own = read("Cidr", cidr);
	const planned = subnetPlan(cidr, 1, 1);
	if (own && !planned.ok) problems.push({ path: "Cidr", reason: planned.reason });
	const ssh = sshCidr === "" ? null : read("SshCidr", sshCidr);
	if (ssh && ssh.size > MOST_SSH)
		problems.push({
			path: "SshCidr",
			reason: `${sshCidr} is ${isEverybody(ssh) ? "everybody" : "far more than one network"}: name your own`,
		});
	if (ssh && own && overlap(ssh, own))
		problems.push({ path: "SshCidr", reason: `${sshCidr} overlaps Cidr ${cidr}: machines could open each other` });
	else if (ssh && PRIVATE.some((range) => isWithin(ssh, range)))
		problems.push({ path: "SshCidr", reason: `${sshCidr} is private: people come to AWS from public addresses, and would all be refused` });
	const around = within.flatMap((text) => readCidr(text) ?? []);
	if (own && around.length > 0 && !around.some((range) => isWithin(own, range)))
		problems.push({
			path: "Cidr",
			reason: `${cidr} is no part of the VPC, which has ${within.join(", ")}: associate it first, or name a part`,
		});
	for (const range of around.filter((one) => !PRIVATE.some((known) => isWithin(one, known))))
		problems.push({ path: "VpcId", reason: `the VPC has ${cidrText(range)}, which is not private: jobs would reach it past the gateways` });
	for (const { name, cidr: other } of taken) {
		const range = read(`taken.${name}`, other);
		if (range && own && overlap(range, own)) problems.push({ path: "Cidr", reason: `${cidr} overlaps ${other}, which is ${name}` });
	}
	return problems;
}

const isEverybody = (range: Cidr) => isWithin({ first: 0, size: 2 ** 32 }, range);
