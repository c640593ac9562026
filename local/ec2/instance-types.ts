// The instance types that the stand-in offers, and what DescribeInstanceTypes says of them. Pure data (AWS's instance type pages).

export interface InstanceType {
	name: string;
	architecture: "x86_64" | "arm64";
	vcpus: number;
	memoryMiB: number;
}

const FAMILIES = {
	x86_64: "c5 c6a c6i c7a c7i c8i m5 m6a m6i m7a m7i m8i r5 r6a r6i r7a r7i r8i",
	arm64: "c6g c7g c8g m6g m7g m8g r6g r7g r8g",
};
const GIB_PER_VCPU: Record<string, number> = { c: 2, m: 4, r: 8 };
const VCPUS: Record<string, number> = {
	medium: 1,
	large: 2,
	xlarge: 4,
	"2xlarge": 8,
	"4xlarge": 16,
	"8xlarge": 32,
	"12xlarge": 48,
	"16xlarge": 64,
};
/** The families that have no one-vCPU size. */
const NO_MEDIUM = /^([cmr]5|[cmr][678]i|[cmr]6a)$/;

function typesOf(architecture: InstanceType["architecture"]): InstanceType[] {
	return FAMILIES[architecture].split(" ").flatMap((family) =>
		Object.entries(VCPUS)
			.filter(([size]) => size !== "medium" || !NO_MEDIUM.test(family))
			.map(([size, vcpus]) => {
				const memoryMiB = vcpus * (GIB_PER_VCPU[family.charAt(0)] ?? 4) * 1024;
				return { name: `${family}.${size}`, architecture, vcpus, memoryMiB };
			}),
	);
}

const TABLE = new Map([...typesOf("x86_64"), ...typesOf("arm64")].map((type) => [type.name, type]));

export function findInstanceType(name: string): InstanceType | null {
	return TABLE.get(name) ?? null;
}

export function allInstanceTypes(): InstanceType[] {
	return [...TABLE.values()];
}
