// The instance types that the stand-in offers, and what DescribeInstanceTypes says of them: those of EC2's own answer that the poller ships. Pure.
import table from "../../poller/instance-types.json";

export interface InstanceType {
	name: string;
	architecture: "x86_64" | "arm64";
	vcpus: number;
	memoryMiB: number;
}

function typesOf(architecture: InstanceType["architecture"], rows: (string | number)[][]): InstanceType[] {
	return rows.map(([name, vcpus, gib]) => ({ name: String(name), architecture, vcpus: Number(vcpus), memoryMiB: Number(gib) * 1024 }));
}

const TABLE = new Map([...typesOf("x86_64", table.x64), ...typesOf("arm64", table.arm64)].map((type) => [type.name, type]));

export function findInstanceType(name: string): InstanceType | null {
	return TABLE.get(name) ?? null;
}

export function allInstanceTypes(): InstanceType[] {
	return [...TABLE.values()];
}
