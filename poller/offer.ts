// Which pools may give the machine that a job asks for: concrete types, best first, in every zone. Pure.
import type { MachineRequest } from "../contract/label.ts";
import type { Range } from "../contract/size.ts";
import type { InstanceType } from "./instance-types.ts";

export interface Subnet {
	id: string;
	zone: string;
}
/** Types in order of preference, and one subnet for each zone. */
export type Offer = { ok: true; types: InstanceType[]; subnets: Subnet[] } | { ok: false; reason: string };

/** CreateFleet takes 300 overrides. More types than this would add older ones to every intent, which is stored and sent for each member. */
const MOST_POOLS = 300;
const MOST_TYPES = 20;
/** Without a word on memory or family, memory-heavy machines are not what is meant. */
const USUAL_GIB_PER_CPU = 4;

/** The smallest machines first, among equals the newest generation: on-demand takes them in this order, spot by its own strategy. */
export function offerFor(request: MachineRequest, types: readonly InstanceType[], subnets: readonly Subnet[]): Offer {
	const fitting = types.filter((type) => fits(type, request));
	if (fitting.length === 0) return { ok: false, reason: `No instance type that is known here has ${describe(request)}.` };
	const oneForEachZone = subnets.filter(({ zone }, at) => subnets.findIndex((other) => other.zone === zone) === at);
	const most = Math.min(MOST_TYPES, Math.floor(MOST_POOLS / oneForEachZone.length));
	const best = fitting.toSorted((a, b) => a.cpu - b.cpu || a.ram - b.ram || b.generation - a.generation || (a.name < b.name ? -1 : 1));
	return { ok: true, types: best.slice(0, most), subnets: oneForEachZone };
}

function fits(type: InstanceType, { arch, cpu, ram, families }: MachineRequest): boolean {
	const isUsual = ram !== null || families.length > 0 || type.ram / type.cpu <= USUAL_GIB_PER_CPU;
	const isFamily = families.length === 0 || families.some((pattern) => isIn(type, pattern));
	return type.arch === arch && within(type.cpu, cpu) && (ram === null || within(type.ram, ram)) && isFamily && isUsual;
}

function within(amount: number, { min, max }: Range): boolean {
	return amount >= min && amount <= max;
}

/** `c7` is every family that begins so, `m7i.large` one type; `*` is any text (RunsOn's `family=`). */
function isIn(type: InstanceType, pattern: string): boolean {
	const isType = pattern.includes(".");
	const source = pattern.replaceAll(".", "\\.").replaceAll("*", ".*");
	return new RegExp(isType ? `^${source}$` : `^${source}`).test(isType ? type.name : type.family);
}

function describe({ arch, cpu, ram, families }: MachineRequest): string {
	const range = ({ min, max }: Range) => (min === max ? `${min}` : `${min} to ${max}`);
	const memory = ram === null ? "" : `, ${range(ram)} GiB`;
	return `${range(cpu)} vCPUs${memory}, ${arch}${families.length > 0 ? `, family ${families.join(" or ")}` : ""}`;
}
