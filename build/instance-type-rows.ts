// Which of EC2's instance types may be launched, and the table of them that ships (poller/instance-types.json). Pure.
import * as v from "valibot";

/** What is read of a type in DescribeInstanceTypes (EC2 API Reference, InstanceTypeInfo). A file by `aws ec2` may say null for what is absent. */
const Described = v.looseObject({
	InstanceType: v.string(),
	Hypervisor: v.nullish(v.string()),
	BareMetal: v.boolean(),
	BurstablePerformanceSupported: v.boolean(),
	CurrentGeneration: v.boolean(),
	SupportedUsageClasses: v.array(v.string()),
	ProcessorInfo: v.object({ SupportedArchitectures: v.array(v.string()) }),
	VCpuInfo: v.object({ DefaultVCpus: v.number() }),
	MemoryInfo: v.object({ SizeInMiB: v.number() }),
	EbsInfo: v.object({ EbsOptimizedSupport: v.string() }),
	InstanceStorageInfo: v.nullish(v.object({ TotalSizeInGB: v.nullish(v.number()) })),
	NetworkInfo: v.object({ NetworkCards: v.nullish(v.array(v.object({ PeakBandwidthInGbps: v.nullish(v.number()) }))) }),
});
type Described = v.InferOutput<typeof Described>;

/** A page as the API or `aws ec2 describe-instance-types` gives it; or types by name, as PyPI's moto ships them. */
const Page = v.union([
	v.looseObject({ InstanceTypes: v.array(Described), NextToken: v.nullish(v.string()) }),
	v.pipe(
		v.record(v.string(), Described),
		v.transform((types) => ({ InstanceTypes: Object.values(types), NextToken: null })),
	),
]);
export type Page = { InstanceTypes: Described[]; NextToken?: string | null };

/** Reads one page; throws with what is wrong with it. */
export function parsePage(value: unknown): Page {
	const read = v.safeParse(Page, value);
	if (!read.success) throw new Error(`it is no answer of DescribeInstanceTypes: ${read.issues[0].message}`);
	return read.output;
}

/** Name, vCPUs, GiB, GB of local disk, Gbps at most, and marks. */
export type Row = [name: string, vcpus: number, gib: number, diskGb: number, gbps: number, ...marks: string[]];
export type Table = Record<"x64" | "arm64", Row[]>;

/** General, compute, memory, burstable, storage, large-memory and fast-clock families. The others are for one trade: u, d, h, hpc, mac, is, im. */
const FAMILIES = /^[cmrtixz][0-9]/;
/** The runner, its worker and the agent alone take about one. */
const LEAST_GIB = 2;
/** All of t, whatever the answer says: moto 5.2.5 has t8i as not burstable. */
const BURSTABLE = /^t[0-9]/;
const ACCELERATORS = ["GpuInfo", "NeuronInfo", "InferenceAcceleratorInfo", "FpgaInfo", "MediaAcceleratorInfo"];

/** Why a type is never launched, or null if it may be. */
export function whyLeftOut(type: Described): string | null {
	if (ACCELERATORS.some((name) => type[name])) return "it has an accelerator, which no label asks for";
	if (type.BareMetal) return "bare metal takes many minutes to start";
	if (type.Hypervisor !== "nitro") return "it is older than Nitro";
	if (!FAMILIES.test(type.InstanceType)) return "its family is for one trade";
	if (archOf(type) === null) return "it runs neither x64 nor arm64 Linux";
	if (type.MemoryInfo.SizeInMiB < LEAST_GIB * 1024) return `it has less than the ${LEAST_GIB} GiB that a runner needs`;
	if (!["on-demand", "spot"].every((use) => type.SupportedUsageClasses.includes(use))) return "it is not for both spot and on-demand";
	if (type.EbsInfo.EbsOptimizedSupport !== "default") return "its network shares its bandwidth with its disk";
	return null;
}

function archOf({ ProcessorInfo: { SupportedArchitectures } }: Described): keyof Table | null {
	if (SupportedArchitectures.includes("x86_64")) return "x64";
	return SupportedArchitectures.includes("arm64") ? "arm64" : null;
}

function rowOf(type: Described): Row {
	const gbps = (type.NetworkInfo.NetworkCards ?? []).reduce((sum, card) => sum + (card.PeakBandwidthInGbps ?? 0), 0);
	return [
		...([type.InstanceType, type.VCpuInfo.DefaultVCpus, type.MemoryInfo.SizeInMiB / 1024] as const),
		...([type.InstanceStorageInfo?.TotalSizeInGB ?? 0, Math.round(gbps * 1000) / 1000] as const),
		...(type.BurstablePerformanceSupported || BURSTABLE.test(type.InstanceType) ? ["burstable"] : []),
		...(type.CurrentGeneration ? [] : ["previous"]),
	];
}

const familyOf = ([name]: Row) => name.split(".")[0] ?? "";
const compare = (a: string, b: string) => (a === b ? 0 : a < b ? -1 : 1);
const inOrder = (a: Row, b: Row) => compare(familyOf(a), familyOf(b)) || a[1] - b[1] || a[2] - b[2] || compare(a[0], b[0]);

/** The table that pages give, whatever their order. Throws if they cannot be all there is. */
export function tableOf(pages: readonly Page[]): Table {
	if (!pages.some(({ NextToken }) => !NextToken)) throw new Error("the last page is missing: each one names a next one");
	const types = new Map(pages.flatMap(({ InstanceTypes }) => InstanceTypes.map((type) => [type.InstanceType, type])));
	const kept = [...types.values()].filter((type) => whyLeftOut(type) === null);
	const rowsOf = (arch: keyof Table) =>
		kept
			.filter((type) => archOf(type) === arch)
			.map(rowOf)
			.toSorted(inOrder);
	const table = { x64: rowsOf("x64"), arm64: rowsOf("arm64") };
	const lacking = Object.entries(table).find(([, rows]) => rows.length === 0)?.[0];
	if (lacking) throw new Error(`there is no type for ${lacking} among the ${types.size} that were read`);
	return table;
}

/** The file: a line for each type, so that a change reads as one, formatted as the linter wants it. */
export function tableText(source: string, { x64, arm64 }: Table): string {
	const list = (rows: Row[]) => rows.map((row) => `\t\t[${row.map((value) => JSON.stringify(value)).join(", ")}]`).join(",\n");
	const columns = `["type", "vCPUs", "GiB", "GB of local disk", "Gbps at most", "marks"]`;
	return `{\n\t"source": ${JSON.stringify(source)},\n\t"columns": ${columns},\n\t"x64": [\n${list(x64)}\n\t],\n\t"arm64": [\n${list(arm64)}\n\t]\n}\n`;
}
