// The instance types that may be launched: the table that EC2's own DescribeInstanceTypes gave (`bun run instance-types`), read. Pure.
import type { Arch } from "../contract/size.ts";
import table from "./instance-types.json";

export interface InstanceType {
	name: string;
	family: string;
	arch: Arch;
	cpu: number;
	/** GiB. */
	ram: number;
	/** 8 of `m8g`. */
	generation: number;
	/** General, compute or memory, and nothing beside that costs more: no local disk (`d`), no faster network (`n`), EBS (`b`) or clock (`z`). */
	isPlain: boolean;
	/** Its vCPUs are whole only part of the time: burstable (`t3`) and `-flex` types. */
	isPartTime: boolean;
}

/** A name such as `c8gn-flex`: the letters of its use, the generation, the maker of its processor, and what it has beside (aws.amazon.com/ec2/instance-types). */
const FAMILY = /^(?<use>[a-z]+)(?<generation>[0-9]+)[agi]?(?<beside>.*)$/;

function typeOf(arch: Arch, [name = "", cpu, ram, , , ...marks]: readonly (string | number)[]): InstanceType {
	const family = String(name).split(".")[0] ?? "";
	const { use = "", generation, beside = "" } = FAMILY.exec(family)?.groups ?? {};
	return {
		...{ name: String(name), family, arch, cpu: Number(cpu), ram: Number(ram), generation: Number(generation) },
		isPlain: ["c", "m", "r"].includes(use) && beside === "",
		isPartTime: marks.includes("burstable") || beside.endsWith("-flex"),
	};
}

export const INSTANCE_TYPES: readonly InstanceType[] = (["x64", "arm64"] as const).flatMap((arch) =>
	table[arch].map((row) => typeOf(arch, row)),
);
