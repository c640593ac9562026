// Which pools may give the machine that a job asks for: concrete types, best first, in every zone. Pure.
import type { Subnet } from "../contract/config.ts";
import type { MachineRequest } from "../contract/label.ts";
import type { Range } from "../contract/size.ts";
import type { InstanceType } from "./instance-types.ts";

/** Types in order of preference, and one subnet for each zone. */
export type Offer = { ok: true; types: InstanceType[]; subnets: Subnet[] } | { ok: false; reason: string };

/** CreateFleet takes 300 overrides. More types than this would add older ones to every intent, which is stored and sent for each member. */
const MOST_POOLS = 300;
const MOST_TYPES = 20;
/** Without a word on memory or family, memory-heavy machines are not what is meant. */
const USUAL_GIB_PER_CPU = 4;

/**
 * The best of what fits: on-demand takes them in this order, spot by its own strategy, for which there are many.
 */
export function offerFor(request: MachineRequest, types: readonly InstanceType[], subnets: readonly Subnet[]): Offer {
	const fitting = typesFor(request, types);
	if (fitting.length === 0) return { ok: false, reason: whyNone(request) };
	const oneForEachZone = subnetsFor(request.tier, subnets);
	if (oneForEachZone.length === 0) return { ok: false, reason: `The stack has no subnet for machines of tier ${request.tier}.` };
	const most = Math.min(MOST_TYPES, Math.floor(MOST_POOLS / oneForEachZone.length));
	return { ok: true, types: fitting.toSorted(byBreadth).slice(0, most).toSorted(byPreference), subnets: oneForEachZone };
}

/** Every type that has what is asked for. */
export function typesFor(request: MachineRequest, types: readonly InstanceType[]): InstanceType[] {
	const isNamed = namedBy(request.families);
	return types.filter((type) => fits(type, request) && isNamed(type));
}

/** What is said where there is no such type. */
export function whyNone(request: MachineRequest): string {
	return `No instance type that is known here has ${describe(request)}.`;
}

/**
 * Where machines of a tier start: in its own subnets, whose gateway has its list, and in those without a tier. A fleet cannot span two
 * subnets of one zone (FACTS 4.2), so the first of each is taken, the tier's own before the others.
 */
function subnetsFor(tier: string, subnets: readonly Subnet[]): Subnet[] {
	const open = [...subnets.filter((subnet) => subnet.tier === tier), ...subnets.filter((subnet) => subnet.tier === null)];
	return open.filter(({ zone }, at) => open.findIndex((other) => other.zone === zone) === at);
}

const plainFirst = (a: InstanceType, b: InstanceType) => Number(b.isPlain) - Number(a.isPlain);

/** The smallest first, of one size the newest generation, of one generation what has nothing beside; names only part what is alike. */
export function byPreference(a: InstanceType, b: InstanceType): number {
	return a.cpu - b.cpu || a.ram - b.ram || b.generation - a.generation || plainFirst(a, b) || (a.name < b.name ? -1 : 1);
}

/** Which are taken when there are too many: plain ones of every family and generation, since no region has all of the newest generation's variants. */
function byBreadth(a: InstanceType, b: InstanceType): number {
	return a.cpu - b.cpu || plainFirst(a, b) || byPreference(a, b);
}

function fits(type: InstanceType, { arch, cpu, ram, mostRam, families }: MachineRequest): boolean {
	const isUsual = ram !== null || families.length > 0 || type.ram / type.cpu <= USUAL_GIB_PER_CPU;
	const isBelow = type.ram <= (mostRam ?? Number.POSITIVE_INFINITY);
	return type.arch === arch && within(type.cpu, cpu) && (ram === null || within(type.ram, ram)) && isUsual && isBelow;
}

function within(amount: number, { min, max }: Range): boolean {
	return amount >= min && amount <= max;
}

/** Whether a request's families have a type. Its vCPUs must be whole all the time unless the request names it. */
function namedBy(families: readonly string[]): (type: InstanceType) => boolean {
	if (families.length === 0) return ({ isPartTime }) => !isPartTime;
	const patterns = families.map((text) => ({ namesOne: !text.startsWith("*") || text.includes("flex"), matches: matcherOf(text) }));
	return (type) => patterns.some(({ namesOne, matches }) => matches(type) && (namesOne || !type.isPartTime));
}

/** `c7` is every family that begins so, `m7i.*` one family, `m7i.large` one type; `*` is any text (RunsOn's `family=`). Many stars are as one: each more would multiply the ways to match. */
function matcherOf(text: string): (type: InstanceType) => boolean {
	const source = text.replaceAll(".", "\\.").replaceAll(/\*+/g, ".*");
	const pattern = new RegExp(text.includes(".") ? `^${source}$` : `^${source}`);
	return ({ name, family }) => pattern.test(text.includes(".") ? name : family);
}

function describe({ arch, cpu, ram, mostRam, families }: MachineRequest): string {
	const range = ({ min, max }: Range) => (min === max ? `${min}` : `${min} to ${max}`);
	const most = mostRam === null ? "" : `, at most ${mostRam} GiB`;
	const memory = ram === null ? most : `, ${range(ram)} GiB`;
	return `${range(cpu)} vCPUs${memory}, ${arch}${families.length > 0 ? `, family ${families.join(" or ")}` : ""}`;
}
