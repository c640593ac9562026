// What a job's labels ask for (DESIGN 8): a label of ours that describes a machine, or a plain set that a preset lists. Pure.
import type { Preset, ResolvedFile, Tier } from "./config.ts";
import { labelSetKey } from "./config-checks.ts";
import { hasKey, type Keys, readLabel } from "./label-keys.ts";
import { type Arch, type Range, readRange, type Volume } from "./size.ts";

/** The machine that a job asks for, in terms of the operator's config. */
export interface MachineRequest {
	/** The preset it named, or null for a free-form description. */
	preset: string | null;
	tier: string;
	cpu: Range;
	/** Null: as families have it, or what is usual for so many vCPUs. */
	ram: Range | null;
	/** GiB, the tier's ceiling: no machine has more, whatever is asked for. Null: it has none. */
	mostRam: number | null;
	/** Patterns of families and types; empty: any. */
	families: string[];
	arch: Arch;
	image: string;
	/** Null: the image's own. */
	volume: Volume | null;
	spot: boolean;
	/** Run again after EC2 took the machine. */
	retry: boolean;
	/** The operator's public keys may open it. */
	ssh: boolean;
	/** Its first step waits for somebody who looks. */
	debug: boolean;
	/** Marks the machine for whoever adds up costs. */
	tag: string | null;
}
/** `ours` says whether the job is meant for this stack at all: what is not may be anybody's, and nothing is done to it. */
export type LabelReading = { ok: true; request: MachineRequest } | { ok: false; ours: boolean; reason: string };

/** What of the config labels are read against. */
export type LabelConfig = Pick<ResolvedFile, "acceptRunsOnLabels" | "environment" | "presets" | "images" | "tiers"> & {
	/** Absent where nothing is deployed yet: any region may be the stack's then. */
	infrastructure?: { subnets: { zone: string }[] };
};

const refuse = (reason: string): LabelReading => ({ ok: false, ours: true, reason });
const notOurs = (reason: string): LabelReading => ({ ok: false, ours: false, reason });

const LONGEST_LABEL = 256;

/**
 * Reads what a job's labels ask for, or why nothing is launched for it, in sentences for people. Plain labels may stand beside a mayfly
 * label, since GitHub then wants a runner that has them all and ours has exactly the job's own; they choose nothing, but must not
 * contradict it.
 */
export function resolveLabels(labels: readonly string[], config: LabelConfig): LabelReading {
	// First of all: a set may hold a label that reads like a description without being one, such as `mayfly`.
	const listed = presetListing(labels, config);
	if (listed) return adjust(requestOf(...listed, config), {}, config);
	const ours = labels.filter((label) => hasKey(label, "mayfly"));
	const theirs = labels.filter((label) => hasKey(label, "runs-on") && !ours.includes(label));
	if (ours.length === 0 && theirs.length > 0 && !config.acceptRunsOnLabels)
		return notOurs("The label is RunsOn's: it is served once the operator sets acceptRunsOnLabels, so that not both systems launch.");
	const [label, ...more] = [...ours, ...theirs];
	if (label === undefined) return notOurs(`No preset lists the labels ${labels.join(", ") || "(none)"}.`);
	// Before anything is refused: what another stack is asked for may be right there.
	const [elsewhere, ...elsewheres] = [label, ...more].map((it) => whyElsewhere(readLabel(it).keys, config));
	if (typeof elsewhere === "string" && !elsewheres.includes(null)) return notOurs(elsewhere);
	if (labels.some(({ length }) => length > LONGEST_LABEL))
		return refuse(`A label has more than the ${LONGEST_LABEL} characters that GitHub lets a runner register.`);
	if (more.length > 0) return refuse("The job has more than one label that describes its machine: put all keys into one.");
	const read = readLabel(label);
	if (!read.ok) return refuse(read.reason);
	const reading = describe(read.keys, config);
	if (!reading.ok) return reading;
	const others = labels.filter((other) => other !== label);
	const problem = besideProblem(others, reading.request);
	return problem === null ? reading : refuse(problem);
}

function presetListing(labels: readonly string[], { presets }: LabelConfig): [string, Preset] | undefined {
	const wanted = labelSetKey(labels);
	return Object.entries(presets).find(([, preset]) => preset.labels.some((set) => labelSetKey(set) === wanted));
}

/** `us-west-2` of the zones `us-west-2a` and `us-west-2-lax-1a`. */
function regionOf({ infrastructure }: LabelConfig): string | null {
	return /^[a-z]+(?:-[a-z]+)+-[0-9]+/.exec(infrastructure?.subnets[0]?.zone ?? "")?.[0] ?? null;
}

/** Stacks beside each other hear of the same jobs: `env` and `region` say whose each is. */
function whyElsewhere({ env, region }: Keys, config: LabelConfig): string | null {
	const here = regionOf(config);
	// A job that names no environment is for the stack that is not named either.
	const wanted = env ?? "production";
	if (wanted.toLowerCase() !== config.environment.toLowerCase())
		return `The label asks for the environment ${wanted}, and this stack is ${config.environment}.`;
	if (config.infrastructure && region !== undefined && region.toLowerCase() !== here)
		return `The label asks for a machine in ${region}, and this stack is in ${here ?? "an unknown region"}.`;
	return null;
}

function requestOf(id: string, { labels: _, ...preset }: Preset, config: LabelConfig): MachineRequest {
	const arch = config.images[preset.image]?.arch ?? "x64";
	return { preset: id, ...preset, mostRam: null, arch, ssh: false, debug: false, tag: null };
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

function findName<T>(table: Record<string, T>, name: string): [string, T] | undefined {
	return Object.entries(table).find(([key]) => key.toLowerCase() === name.toLowerCase());
}

/** RunsOn's default size. */
const DEFAULT_CPU = { min: 2, max: 2 };
/** Of whoever names whole types: they say it themselves. */
const ANY_CPU = { min: 1, max: 32_768 };
const TYPE = /^[^.*]+\.[^.*]+$/;
const SHORTHAND = /^([0-9]{1,4})cpu-linux-(x64|arm64)$/i;

function describe({ runner, ...keys }: Keys, config: LabelConfig): LabelReading {
	const isTyped = keys.family?.every((name) => TYPE.test(name)) ?? false;
	if (runner === undefined) return freeForm({ cpu: isTyped ? ANY_CPU : DEFAULT_CPU, ...keys }, config);
	const preset = findName(config.presets, runner);
	if (preset) return adjust(requestOf(preset[0], preset[1], config), keys, config);
	const [, cpu, arch] = SHORTHAND.exec(runner) ?? [];
	const size = readRange(cpu ?? "");
	if (size.ok) return freeForm({ cpu: size.value, arch: arch?.toLowerCase() as Arch, ...keys }, config);
	const known = Object.keys(config.presets).join(", ") || "none";
	return refuse(`runner=${runner} is neither a preset (${known}) nor a size like 4cpu-linux-arm64.`);
}

function freeForm(keys: Keys & { cpu: Range }, config: LabelConfig): LabelReading {
	const tier = Object.entries(config.tiers).find(([, { freeForm }]) => freeForm)?.[0];
	if (tier === undefined) return refuse("The label describes a machine, but no tier serves such labels: name a preset with runner=.");
	const named = keys.image === undefined ? undefined : findName(config.images, keys.image);
	const arch = keys.arch ?? named?.[1].arch ?? "x64";
	const image = keys.image ?? Object.entries(config.images).find(([, it]) => it.arch === arch)?.[0];
	if (image === undefined) return refuse(`There is no image for ${arch}.`);
	const size = { cpu: keys.cpu, ram: null, mostRam: null, families: [], volume: null };
	return adjust({ preset: null, tier, arch, image, ...size, spot: true, retry: true, ssh: false, debug: false, tag: null }, keys, config);
}

/** Lays a label's keys over what its preset says, as far as the tier lets labels choose. Every reason against it is named. */
function adjust(base: MachineRequest, keys: Keys, config: LabelConfig): LabelReading {
	const { cpu = base.cpu, ram = base.ram, family = base.families, image = base.image, volume = base.volume } = keys;
	const { freeForm = false, sshKeys = [], ceiling = null } = config.tiers[base.tier] ?? {};
	const [name, { arch }] = findName(config.images, image) ?? [image, base];
	const problems = [
		...(base.preset === null || freeForm ? [] : choiceProblems(base.preset, keys)),
		...imageProblems(image, keys, config),
		...((keys.ssh || keys.debug) && sshKeys.length === 0
			? [`${keys.ssh ? "ssh" : "debug"}=true: the tier ${base.tier} has no sshKeys, so nobody could open the machine.`]
			: []),
		...(ceiling === null ? [] : ceilingProblems({ cpu, ram, volume, tier: base.tier }, ceiling)),
		...(ceiling === null || keys.volume === undefined ? [] : diskProblems(keys.volume, base.tier, ceiling)),
	];
	if (problems.length > 0) return refuse(problems.join(" "));
	const below = (range: Range, most = range.max) => ({ min: range.min, max: Math.min(range.max, most) });
	const request = {
		...base,
		...{ cpu: below(cpu, ceiling?.cpu), ram: ram && below(ram, ceiling?.ram), mostRam: ceiling?.ram ?? null, families: family, volume },
		...{ image: name, arch, spot: keys.spot ?? base.spot, retry: keys.retry ?? base.retry },
		...{ ssh: keys.ssh ?? keys.debug ?? false, debug: keys.debug ?? false, tag: keys.tag ?? null },
	};
	return { ok: true, request };
}

/** What a label chooses of a machine that its tier takes as the operator made it. */
function choiceProblems(preset: string, { cpu, ram, family, arch, image, volume }: Keys): string[] {
	const chosen = Object.entries({ cpu, ram, family, arch, image, volume }).flatMap(([key, value]) => (value === undefined ? [] : key));
	if (chosen.length === 0) return [];
	return [`The preset ${preset} is taken as it is: its tier does not let a label choose ${chosen.join(", ")}.`];
}

function imageProblems(image: string, { arch }: Keys, { images }: LabelConfig): string[] {
	const found = findName(images, image);
	if (!found) return [`image=${image} is unknown: images are ${Object.keys(images).join(", ")}.`];
	if (arch === undefined || arch === found[1].arch) return [];
	return [`The image ${found[0]} is for ${found[1].arch}, but arch=${arch} is asked for.`];
}

type Sized = Pick<MachineRequest, "cpu" | "ram" | "volume" | "tier">;

function ceilingProblems({ cpu, ram, volume, tier }: Sized, ceiling: NonNullable<Tier["ceiling"]>): string[] {
	const isLarger = cpu.min > ceiling.cpu || (ram?.min ?? 0) > ceiling.ram;
	const isWider = volume !== null && ceiling.volume !== null && volume.gib > ceiling.volume;
	return [
		...(isLarger
			? [`The machine asked for is over the ceiling of tier ${tier}: at most ${ceiling.cpu} vCPUs and ${ceiling.ram} GiB.`]
			: []),
		...(isWider ? [`The disk asked for is over the ceiling of tier ${tier}: at most ${ceiling.volume} GiB.`] : []),
	];
}

/** Disks are paid by the operation as well, up to dollars an hour: under a ceiling, faster ones are for presets. */
const MOST_IOPS = 16_000;

/** What of a disk only the operator may choose where there is a ceiling. */
function diskProblems({ iops }: Volume, tier: string, ceiling: NonNullable<Tier["ceiling"]>): string[] {
	return [
		...(ceiling.volume === null ? [`The ceiling of tier ${tier} names no volume, so labels choose none.`] : []),
		...((iops ?? 0) > MOST_IOPS
			? [`The disk asked for is over the ceiling of tier ${tier}: at most ${MOST_IOPS} operations a second, or those of a preset.`]
			: []),
	];
}
