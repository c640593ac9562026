// The instance types that may be launched, as data: EC2's general, compute and memory families, newest generation first (aws.amazon.com/ec2/instance-types).
import type { Arch } from "../contract/size.ts";

export interface InstanceType {
	name: string;
	family: string;
	arch: Arch;
	cpu: number;
	/** GiB. */
	ram: number;
	/** 8 of `m8g`. */
	generation: number;
}

const FAMILIES: Record<Arch, string[]> = {
	x64: ["m8i", "c8i", "r8i", "m7a", "c7a", "r7a", "m7i", "c7i", "r7i", "m6a", "c6a", "r6a", "m6i", "c6i", "r6i", "m5", "c5", "r5"],
	arm64: ["m8g", "c8g", "r8g", "m7g", "c7g", "r7g", "m6g", "c6g", "r6g"],
};
const SIZES: [name: string, cpu: number][] = [
	["medium", 1],
	["large", 2],
	["xlarge", 4],
	["2xlarge", 8],
	["4xlarge", 16],
	["8xlarge", 32],
	["12xlarge", 48],
	["16xlarge", 64],
];
const GIB_PER_CPU: Record<string, number> = { c: 2, m: 4, r: 8 };
/** Sizes that a family does not have. c5 has 9xlarge and 18xlarge in their place, which are left out. */
const ABSENT = /^([cmr](5|[678]i|6a)\.medium|c5\.(8|16)xlarge)$/;

export const INSTANCE_TYPES: InstanceType[] = (["x64", "arm64"] as const).flatMap((arch) =>
	FAMILIES[arch].flatMap((family) =>
		SIZES.filter(([size]) => !ABSENT.test(`${family}.${size}`)).map(([size, cpu]) => ({
			...{ name: `${family}.${size}`, family, arch, cpu },
			ram: cpu * (GIB_PER_CPU[family.charAt(0)] ?? 4),
			generation: Number(family.charAt(1)),
		})),
	),
);
