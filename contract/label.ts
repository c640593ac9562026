// What a job's labels ask for (DESIGN 8): a label of ours that describes a machine, or a plain set that a preset lists. Pure.
import type { Preset, ResolvedFile } from "./config.ts";
import { labelSetKey } from "./config-checks.ts";
import { hasKey, type Keys, readLabel } from "./label-keys.ts";
import { type Arch, type Range, readRange, type Volume } from "./size.ts";

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
	const ours = labels.filter((label) => hasKey(label, "mayfly"));
	const theirs = labels.filter((label) => hasKey(label, "runs-on") && !ours.includes(label));
	if (ours.length === 0 && theirs.length > 0 && !config.acceptRunsOnLabels)
		return notOurs("The label is RunsOn's: it is served once the operator sets acceptRunsOnLabels, so that not both systems launch.");
	const [label, ...more] = [...ours, ...theirs];
	if (label === undefined) return resolvePlainSet(labels, config);
	if (labels.some(({ length }) => length > LONGEST_LABEL))
		return refuse(`A label has more than the ${LONGEST_LABEL} characters that GitHub lets a runner register.`);
	if (more.length > 0) return refuse("The job has more than one label that describes its machine: put all keys into one.");
	const read = readLabel(label);
	if (!read.ok) return refuse(read.reason);
	const elsewhere = whyElsewhere(read.keys, config);
	if (elsewhere !== null) return notOurs(elsewhere);
	const reading = describe(read.keys, config);
	if (!reading.ok) return reading;
	const others = labels.filter((other) => other !== label);
	const problem = besideProblem(others, reading.request);
	return problem === null ? reading : refuse(problem);
}

function resolvePlainSet(labels: readonly string[], config: LabelConfig): LabelReading {
	const wanted = labelSetKey(labels);
	const found = Object.entries(config.presets).find(([, preset]) => preset.labels.some((set) => labelSetKey(set) === wanted));
	if (found) return { ok: true, request: requestOf(found[0], found[1], config) };
	return notOurs(`No preset lists the labels ${labels.join(", ") || "(none)"}.`);
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
	return { preset: id, ...preset, arch: config.images[preset.image]?.arch ?? "x64", ssh: false, debug: false, tag: null };
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
const SHORTHAND = /^([0-9]{1,4})cpu-linux-(x64|arm64)$/i;

function describe({ runner, ...keys }: Keys, config: LabelConfig): LabelReading {
	if (runner === undefined) return freeForm({ cpu: DEFAULT_CPU, ...keys }, config);
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
	const blank = { preset: null, tier, ram: null, families: [], volume: null, spot: true, retry: true, ssh: false, debug: false, tag: null };
	return adjust({ ...blank, cpu: keys.cpu, arch, image }, keys, config);
}

/** Lays a label's keys over what its preset says, as far as the tier lets labels choose. */
function adjust(base: MachineRequest, keys: Keys, config: LabelConfig): LabelReading {
	const { cpu, ram, family, arch, image, volume } = keys;
	const tier = config.tiers[base.tier];
	const chosen = Object.entries({ cpu, ram, family, arch, image, volume }).filter(([, value]) => value !== undefined);
	if (base.preset !== null && chosen.length > 0 && !tier?.freeForm)
		return refuse(
			`The preset ${base.preset} is taken as it is: its tier does not let a label choose ${chosen.map(([key]) => key).join(", ")}.`,
		);
	const found = findName(config.images, image ?? base.image);
	if (!found) return refuse(`image=${image ?? base.image} is unknown: images are ${Object.keys(config.images).join(", ")}.`);
	if (arch !== undefined && arch !== found[1].arch)
		return refuse(`The image ${found[0]} is for ${found[1].arch}, but arch=${arch} is asked for.`);
	if ((keys.ssh || keys.debug) && !tier?.sshKeys.length)
		return refuse(`${keys.ssh ? "ssh" : "debug"}=true: the tier ${base.tier} has no sshKeys, so nobody could open the machine.`);
	const request = {
		...base,
		...{ cpu: cpu ?? base.cpu, ram: ram ?? base.ram, families: family ?? base.families, image: found[0], arch: found[1].arch },
		...{ volume: volume ?? base.volume, spot: keys.spot ?? base.spot, retry: keys.retry ?? base.retry },
		...{ ssh: keys.ssh ?? keys.debug ?? false, debug: keys.debug ?? false, tag: keys.tag ?? null },
	};
	return capped(request, tier?.ceiling ?? null);
}

function capped(request: MachineRequest, ceiling: { cpu: number; ram: number; volume: number | null } | null): LabelReading {
	if (!ceiling) return { ok: true, request };
	const ram = request.ram ?? { min: 0, max: ceiling.ram };
	const over = (["cpu", "ram"] as const).find((key) => (key === "cpu" ? request.cpu : ram).min > ceiling[key]);
	if (over)
		return refuse(
			`The machine asked for is over the ceiling of tier ${request.tier}: at most ${ceiling.cpu} vCPUs and ${ceiling.ram} GiB.`,
		);
	if (request.volume && ceiling.volume !== null && request.volume.gib > ceiling.volume)
		return refuse(`The disk asked for is over the ceiling of tier ${request.tier}: at most ${ceiling.volume} GiB.`);
	const below = (range: Range, most: number) => ({ min: range.min, max: Math.min(range.max, most) });
	return { ok: true, request: { ...request, cpu: below(request.cpu, ceiling.cpu), ram: below(ram, ceiling.ram) } };
}
