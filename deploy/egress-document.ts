// What the stack's gateways let through, composed from the operator's tiers: one list for each tier and one for the poller, and the union that
// DNS Firewall answers. Pure.
import type { ResolvedFile } from "../contract/config.ts";
import { type EgressDocument, type EgressList, type EgressMode, parseEgressDocument } from "../contract/egress.ts";
import { type Host, readHost } from "../contract/host.ts";
import { allowlistOf, type Group, unionOf } from "../egress/allowlist.ts";
import { subnetPlan } from "../egress/plan.ts";

/** The list of the poller's subnets, which no tier may be called (egress/mayfly-file.ts). */
export const POLLER_LIST = "poller";

export interface Surroundings {
	mode: EgressMode;
	cidr: string;
	zones: number;
	relayUrl: string;
	region: string;
	/** `amazonaws.com`, or the partition's other one. */
	urlSuffix: string;
}
export interface Egress {
	document: EgressDocument;
	/** One name a line. */
	domains: string;
	/** ARNs of other buckets' objects: S3 of the region is reached past the gateways, by an endpoint whose own list is that of all tiers together. */
	objects: string[];
}
export type EgressReading = { ok: true; egress: Egress } | { ok: false; reason: string };

const GITHUB_API = "api.github.com";
const TOKEN_ISSUER = "token.actions.githubusercontent.com";

/** Refused is what egress/mayfly-file.ts does not know of: where the stack is, and groups that hold what is no host. */
export function composeEgress({ tiers }: ResolvedFile, groups: Record<string, Group>, around: Surroundings): EgressReading {
	const names = Object.keys(tiers);
	const planned = subnetPlan(around.cidr, around.zones, names.length);
	if (!planned.ok) return { ok: false, reason: `Cidr: ${planned.reason}` };
	const relay = readHost(new URL(around.relayUrl).hostname);
	if (!relay.ok) return { ok: false, reason: `RelayUrl: ${relay.reason}` };
	const { plan } = planned;
	const aws = (service: string) => ({ name: `${service}.${around.region}.${around.urlSuffix}`, below: false });
	const poller = [relay.host, { name: GITHUB_API, below: false }, { name: TOKEN_ISSUER, below: false }, aws("ec2"), aws("secretsmanager")];
	const allowed = Object.entries(tiers).map(([name, { egress }]) => ({ name, list: allowlistOf(egress, groups) }));
	const problems = allowed.flatMap(({ name, list }) =>
		list.ok ? [] : list.problems.map((one) => `tiers.${name}.egress.${one.path}: ${one.reason}`),
	);
	if (problems.length > 0) return { ok: false, reason: problems.join("\n") };
	const lists = [
		// Machines report to the relay, whatever else they may reach.
		...allowed.map(({ name, list }, at) => ({ name, sources: plan.tiers[at] ?? [], hosts: [...(list.ok ? list.hosts : []), relay.host] })),
		{ name: POLLER_LIST, sources: plan.pollers, hosts: poller },
	];
	const parsed = parseEgressDocument({ version: 1, mode: around.mode, gateways: plan.gateways, lists: lists.map(written) });
	if (!parsed.ok) return { ok: false, reason: `the gateways' list: ${parsed.reason}` };
	// What the stack needs before there is any list is egress.yaml's own (OwnDomains).
	const domains = unionOf(lists.map(({ hosts }) => hosts));
	const objects = domains
		.flatMap((domain) => bucketOf(domain, around) ?? [])
		.map((bucket) => `arn:${partitionOf(around.region)}:s3:::${bucket}/*`);
	return { ok: true, egress: { document: parsed.value, domains: `${domains.join("\n")}\n`, objects: [...new Set(objects)] } };
}

/** The bucket that a name stands for, if it may lie in this region: `bucket.s3.region.amazonaws.com`, with `dualstack`, or without a region. */
function bucketOf(domain: string, { region, urlSuffix }: Surroundings): string | null {
	if (domain.startsWith("*.") || !domain.endsWith(`.${urlSuffix}`)) return null;
	const [, bucket = null, said = region] =
		/^(.+?)\.s3(?:\.dualstack)?(?:\.([a-z0-9-]+))?$/.exec(domain.slice(0, -urlSuffix.length - 1)) ?? [];
	return said === region ? bucket : null;
}

function partitionOf(region: string): string {
	if (region.startsWith("cn-")) return "aws-cn";
	return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

function written({ hosts, ...list }: Omit<EgressList, "hosts"> & { hosts: Host[] }): EgressList {
	return { ...list, hosts: unionOf([hosts]) };
}
