// What a job's labels ask for (DESIGN 8): RunsOn's grammar under our own key, or a plain set that a preset lists. Pure.
import type { Preset, ResolvedFile } from "./config.ts";
import { labelSetKey } from "./config-checks.ts";
import { type Arch, type Range, readArch, readFamilies, readRange, readSpot } from "./size.ts";

/** The machine that a job asks for, in terms of the operator's config. */
export interface MachineRequest {
	/** The preset it named, or null for a free-form description. */
	preset: string | null;
	tier: string;
	cpu: Range;
	ram: Range | null;
	/** Patterns of families and types; empty: any. */
	families: string[];
	arch: Arch;
	image: string;
	spot: boolean;
}
export type LabelReading = { ok: true; request: MachineRequest } | { ok: false; reason: string };

/** Every key of RunsOn (runs-on.com/configuration/job-labels): honoured, or why it is refused. A key that is not here is unknown. */
export const LABEL_KEYS: Record<string, "honoured" | { refused: string }> = {
	runner: "honoured",
	cpu: "honoured",
	ram: "honoured",
	family: "honoured",
	arch: "honoured",
	image: "honoured",
	spot: "honoured",
	volume: { refused: "the disk is the image's own for now" },
	retry: { refused: "interrupted jobs are rerun as the operator decides for now" },
	ssh: { refused: "ssh to machines is the operator's to open for now" },
	env: { refused: "there is one stack, and it takes every job of its owners" },
	region: { refused: "machines run in the region of the stack" },
	tag: { refused: "machines carry only the stack's own tags for now" },
	debug: { refused: "a machine cannot be held for debugging yet" },
	extras: { refused: "caches and mounts beside the job are not built" },
	private: { refused: "every machine is in a private subnet already" },
	"nested-virt": { refused: "nested virtualisation is not offered" },
	pool: { refused: "there are no warm pools: every machine is launched for its job" },
	sticky: { refused: "no disk outlives its job" },
	disk: { refused: "RunsOn itself has dropped it for `volume`" },
};

const HONOURED = Object.keys(LABEL_KEYS).filter((key) => LABEL_KEYS[key] === "honoured");
const refuse = (reason: string): LabelReading => ({ ok: false, reason });

/** `key=value` parts of a label, separated by slashes or commas, keys in lower case. */
function partsOf(label: string): [key: string, value: string][] {
	return label.split(/[/,]/).map((part) => {
		const at = part.indexOf("=");
		return at < 0 ? [part.trim().toLowerCase(), ""] : [part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()];
	});
}

const LONGEST_LABEL = 256;
const isOurs = (key: string) => (label: string) => partsOf(label).some(([name]) => name === key);

/**
 * Reads what a job's labels ask for, or why nothing is launched for it, in sentences for people. Plain labels may stand beside a mayfly
 * label, since GitHub then wants a runner that has them all and ours has exactly the job's own; they choose nothing, but must not
 * contradict it.
 */
export function resolveLabels(labels: readonly string[], config: ResolvedFile): LabelReading {
	if (labels.some(({ length }) => length > LONGEST_LABEL))
		return refuse(`A label has more than the ${LONGEST_LABEL} characters that GitHub lets a runner register.`);
	const ours = labels.filter(isOurs("mayfly"));
	const theirs = labels.filter((label) => isOurs("runs-on")(label) && !ours.includes(label));
	if (ours.length === 0 && theirs.length > 0 && !config.acceptRunsOnLabels)
		return refuse("The label is RunsOn's: it is served once the operator sets acceptRunsOnLabels, so that not both systems launch.");
	const [label, ...more] = [...ours, ...theirs];
	if (label === undefined) return resolvePlainSet(labels, config);
	if (more.length > 0) return refuse("The job has more than one label that describes its machine: put all keys into one.");
	const reading = resolveLabel(label, config);
	if (!reading.ok) return reading;
	const problem = besideProblem(
		labels.filter((other) => other !== label),
		reading.request,
	);
	return problem === null ? reading : refuse(problem);
}

function resolvePlainSet(labels: readonly string[], config: ResolvedFile): LabelReading {
	const wanted = labelSetKey(labels);
	const found = Object.entries(config.presets).find(([, preset]) => preset.labels.some((set) => labelSetKey(set) === wanted));
	if (found) return { ok: true, request: requestOf(found[0], found[1], config) };
	return refuse(`No preset lists the labels ${labels.join(", ") || "(none)"}.`);
}

function requestOf(id: string, { labels: _, ...preset }: Preset, config: ResolvedFile): MachineRequest {
	return { preset: id, ...preset, arch: config.images[preset.image]?.arch ?? "x64" };
}

function besideProblem(others: string[], { arch }: MachineRequest): string | null {
	for (const other of others.map((name) => name.toLowerCase())) {
		if (other.includes("="))
			return `The key ${other.split("=")[0]} stands in a label of its own: write all keys into one label, separated by slashes.`;
		if (["windows", "macos"].includes(other)) return `The label ${other} asks for another system: machines run Linux.`;
		if (["x64", "arm64"].includes(other) && other !== arch)
			return `The label ${other} contradicts the machine that is asked for, which is ${arch}.`;
	}
	return null;
}

/** The parts of one label after the first reading: each honoured key once, in its own type. */
interface Keys {
	runner?: string;
	cpu?: Range;
	ram?: Range;
	family?: string[];
	arch?: Arch;
	image?: string;
	spot?: boolean;
}

const READERS = { cpu: readRange, ram: readRange, family: readFamilies, arch: readArch, spot: readSpot };

function resolveLabel(label: string, config: ResolvedFile): LabelReading {
	const problems: string[] = [];
	const keys: Record<string, unknown> = {};
	for (const [key, value] of partsOf(label)) {
		const problem = partProblem(key, value, keys);
		if (problem !== null) problems.push(problem);
	}
	if (problems.length > 0) return refuse(problems.join(" "));
	return describe(keys as Keys, config);
}

/** Reads one part into the keys. Null when it is as it should be, else what is wrong with it. */
function partProblem(key: string, value: string, keys: Record<string, unknown>): string | null {
	if (key === "") return "The label has an empty part: keys are separated by one slash or comma.";
	if (Object.hasOwn(keys, key)) return `The key ${key} is given twice.`;
	if (key === "mayfly" || key === "runs-on") {
		keys[key] = value;
		return value === "" ? `${key}= needs an id that is the run's own: ${key}=\${{ github.run_id }}.` : null;
	}
	const status = Object.hasOwn(LABEL_KEYS, key) ? LABEL_KEYS[key] : undefined;
	if (status === undefined) return `The key ${key} is unknown: known are ${HONOURED.join(", ")}.`;
	if (status !== "honoured") return `The key ${key} is not honoured: ${status.refused}.`;
	if (value === "") return `The key ${key} has no value.`;
	const reading = key === "runner" || key === "image" ? { ok: true as const, value } : READERS[key as keyof typeof READERS](value);
	if (!reading.ok) return `${key}=${value}: ${reading.reason}.`;
	keys[key] = reading.value;
	return null;
}

function findName<T>(table: Record<string, T>, name: string): [string, T] | undefined {
	return Object.entries(table).find(([key]) => key.toLowerCase() === name.toLowerCase());
}

/** RunsOn's default size. */
const DEFAULT_CPU = { min: 2, max: 2 };
const SHORTHAND = /^([0-9]{1,4})cpu-linux-(x64|arm64)$/i;

function describe({ runner, ...keys }: Keys, config: ResolvedFile): LabelReading {
	if (runner === undefined) return freeForm({ cpu: DEFAULT_CPU, ...keys }, config);
	const preset = findName(config.presets, runner);
	if (preset) return adjust(requestOf(preset[0], preset[1], config), keys, config);
	const [, cpu, arch] = SHORTHAND.exec(runner) ?? [];
	const size = readRange(cpu ?? "");
	if (size.ok) return freeForm({ cpu: size.value, arch: arch?.toLowerCase() as Arch, ...keys }, config);
	const known = Object.keys(config.presets).join(", ") || "none";
	return refuse(`runner=${runner} is neither a preset (${known}) nor a size like 4cpu-linux-arm64.`);
}

function freeForm(keys: Keys & { cpu: Range }, config: ResolvedFile): LabelReading {
	const tier = Object.entries(config.tiers).find(([, { freeForm }]) => freeForm)?.[0];
	if (tier === undefined) return refuse("The label describes a machine, but no tier serves such labels: name a preset with runner=.");
	const named = keys.image === undefined ? undefined : findName(config.images, keys.image);
	const arch = keys.arch ?? named?.[1].arch ?? "x64";
	const image = keys.image ?? Object.entries(config.images).find(([, it]) => it.arch === arch)?.[0];
	if (image === undefined) return refuse(`There is no image for ${arch}.`);
	const blank = { preset: null, tier, ram: null, families: [], spot: true };
	return adjust({ ...blank, cpu: keys.cpu, arch, image }, keys, config);
}

/** Lays a label's keys over what its preset says, as far as the tier lets labels choose. */
function adjust(base: MachineRequest, { cpu, ram, family, arch, image, spot }: Keys, config: ResolvedFile): LabelReading {
	const tier = config.tiers[base.tier];
	const chosen = Object.entries({ cpu, ram, family, arch, image }).filter(([, value]) => value !== undefined);
	if (base.preset !== null && chosen.length > 0 && !tier?.freeForm)
		return refuse(
			`The preset ${base.preset} is taken as it is: its tier does not let a label choose ${chosen.map(([key]) => key).join(", ")}.`,
		);
	const found = findName(config.images, image ?? base.image);
	if (!found) return refuse(`image=${image ?? base.image} is unknown: images are ${Object.keys(config.images).join(", ")}.`);
	if (arch !== undefined && arch !== found[1].arch)
		return refuse(`The image ${found[0]} is for ${found[1].arch}, but arch=${arch} is asked for.`);
	const request = { ...base, cpu: cpu ?? base.cpu, ram: ram ?? base.ram, families: family ?? base.families, spot: spot ?? base.spot };
	return capped({ ...request, image: found[0], arch: found[1].arch }, tier?.ceiling ?? null);
}

function capped(request: MachineRequest, ceiling: { cpu: number; ram: number } | null): LabelReading {
	if (!ceiling) return { ok: true, request };
	const ram = request.ram ?? { min: 0, max: ceiling.ram };
	const over = (["cpu", "ram"] as const).find((key) => (key === "cpu" ? request.cpu : ram).min > ceiling[key]);
	if (over)
		return refuse(
			`The machine asked for is over the ceiling of tier ${request.tier}: at most ${ceiling.cpu} vCPUs and ${ceiling.ram} GiB.`,
		);
	const below = (range: Range, most: number) => ({ min: range.min, max: Math.min(range.max, most) });
	return { ok: true, request: { ...request, cpu: below(request.cpu, ceiling.cpu), ram: below(ram, ceiling.ram) } };
}
