// Which subnet has which addresses: the plan that cloudformation/network.yaml and tier.yaml make with Fn::Cidr, for what must know it before
// (the gateways' lists go by subnet). A test holds the two against each other. Pure.
import { type Cidr, cidrText, isWithin, part, readCidr } from "../contract/cidr.ts";

export interface SubnetPlan {
	/** By zone. */
	gateways: string[];
	/** By zone. */
	pollers: string[];
	/** By tier, in the order of mayfly.yml, then by zone. */
	tiers: string[][];
}
export type Planned = { ok: true; plan: SubnetPlan } | { ok: false; reason: string };

export const MOST_ZONES = 3;
export const MOST_TIERS = 5;
const [LARGEST, SMALLEST] = [2 ** 16, 2 ** 12];

/** RFC 1918, and RFC 6598 as AWS allows it. A VPC with public addresses would be reached through a name that leads to them. */
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"].flatMap((text) => readCidr(text) ?? []);

const isCount = (value: number, most: number) => Number.isInteger(value) && value >= 1 && value <= most;

/**
 * Sixteen equal blocks. The first is cut into eight: gateways and pollers, three zones each. The others are the tiers', three zones each. So no
 * subnet moves when a zone or a tier is added.
 */
export function subnetPlan(cidr: string, zones: number, tiers: number): Planned {
	const all = readCidr(cidr);
	const refuse = (reason: string): Planned => ({ ok: false, reason });
	if (all === null) return refuse(`${JSON.stringify(cidr)} is no IPv4 range such as 10.77.0.0/16`);
	if (all.size > LARGEST || all.size < SMALLEST) return refuse(`${cidr} is not of a size from /16 to /20`);
	if (!PRIVATE.some((range) => isWithin(all, range))) return refuse(`${cidr} is not private`);
	if (!isCount(zones, MOST_ZONES)) return refuse(`${zones} zones: there can be 1 to ${MOST_ZONES}`);
	if (!isCount(tiers, MOST_TIERS)) return refuse(`${tiers} tiers: there can be 1 to ${MOST_TIERS}`);
	const first = part(all, 16, 0);
	const zoned = (place: (zone: number) => Cidr) => Array.from({ length: zones }, (_, zone) => cidrText(place(zone)));
	return {
		ok: true,
		plan: {
			gateways: zoned((zone) => part(first, 8, zone)),
			pollers: zoned((zone) => part(first, 8, MOST_ZONES + zone)),
			tiers: Array.from({ length: tiers }, (_, tier) => zoned((zone) => part(all, 16, 1 + tier * MOST_ZONES + zone))),
		},
	};
}
