// What the parts of a mayfly.yml say of each other: names that must exist, sets that must be one preset's alone. Pure.
import type { Range, Volume } from "./size.ts";
import { type StackLists, type TierPart, tierProblems } from "./tier-checks.ts";

/** `path` in dots from the top of the file, such as `presets.small.cpu`, or `line 3` of a text that is not YAML. */
export interface ConfigProblem {
	path: string;
	reason: string;
}

interface PresetPart {
	tier?: string | undefined;
	labels: string[][];
	cpu: Range | null;
	ram: Range | null;
	image: string | null;
	volume: Volume | null;
}
/** Null: there, but not readable; that is told elsewhere. */
type Parts<T> = Record<string, T | null>;
export interface ReadableParts {
	owners: ({ name: string } | null)[];
	presets: Parts<PresetPart>;
	images: Parts<{ arch: "x64" | "arm64" | null }>;
	runner: { sha256: Record<"x64" | "arm64", string | null> } | null;
	tiers: Parts<TierPart>;
}

/** One text for each set of labels, whatever its order and case: GitHub compares labels so. */
export function labelSetKey(labels: readonly string[]): string {
	return [...new Set(labels.map((label) => label.toLowerCase()))].toSorted().join("\n");
}

function readable<T>(parts: Parts<T>): [string, T][] {
	return Object.entries(parts).flatMap(([name, part]) => (part === null ? [] : [[name, part] as [string, T]]));
}

/** Every problem between the parts that could be read. `lists` is what a stack knows beside the file; left out where there is none. */
export function problemsBetween(parts: ReadableParts, lists: StackLists | null = null): ConfigProblem[] {
	return [
		...doubledNames(parts),
		...readable(parts.presets).flatMap(([id, preset]) => presetProblems(id, preset, parts)),
		...doubledSets(parts),
		...tierProblems(Object.keys(parts.tiers), readable(parts.tiers), lists),
		...runnerProblems(parts),
	];
}

/** A machine whose architecture has no checksum could not exchange its runner. */
function runnerProblems({ images, runner }: ReadableParts): ConfigProblem[] {
	if (runner === null) return [];
	const lacking = new Map(
		readable(images).flatMap(([name, { arch }]) => (arch !== null && runner.sha256[arch] === null ? [[arch, name] as const] : [])),
	);
	return [...lacking].map(([arch, name]) => ({ path: `runner.sha256.${arch}`, reason: `is missing: the image ${name} is of ${arch}` }));
}

function doubledNames({ owners, presets, images, tiers }: ReadableParts): ConfigProblem[] {
	const twice = (names: string[], path: (at: number, name: string) => string) =>
		names.flatMap((name, at) => {
			const first = names.findIndex((other) => other.toLowerCase() === name.toLowerCase());
			return first < at ? [{ path: path(at, name), reason: `the same name as ${path(first, names[first] ?? "")}` }] : [];
		});
	return [
		...twice(
			owners.map((owner, at) => owner?.name ?? `\n${at}`),
			(at) => `owners.${at}.name`,
		),
		...twice(Object.keys(presets), (_, id) => `presets.${id}`),
		...twice(Object.keys(images), (_, id) => `images.${id}`),
		...twice(Object.keys(tiers), (_, id) => `tiers.${id}`),
	];
}

function presetProblems(id: string, preset: PresetPart, { images, tiers }: ReadableParts): ConfigProblem[] {
	const problems: ConfigProblem[] = [];
	const names = Object.keys(tiers);
	const tierName = preset.tier ?? (names.length === 1 ? names[0] : undefined);
	if (preset.image !== null && !Object.hasOwn(images, preset.image))
		problems.push({ path: `presets.${id}.image`, reason: `there is no image ${preset.image}` });
	if (tierName === undefined) problems.push({ path: `presets.${id}.tier`, reason: "is missing: there is not exactly one tier" });
	else if (!Object.hasOwn(tiers, tierName)) problems.push({ path: `presets.${id}.tier`, reason: `there is no tier ${tierName}` });
	const ceiling = tiers[tierName ?? ""]?.ceiling;
	for (const key of ["cpu", "ram"] as const) {
		const most = preset[key]?.max ?? 0;
		if (ceiling && most > ceiling[key])
			problems.push({ path: `presets.${id}.${key}`, reason: `${most} is over the ceiling of tier ${tierName}, ${ceiling[key]}` });
	}
	if (ceiling && ceiling.volume !== null && preset.volume && preset.volume.gib > ceiling.volume) {
		const reason = `${preset.volume.gib} GiB is over the ceiling of tier ${tierName}, ${ceiling.volume}`;
		problems.push({ path: `presets.${id}.volume`, reason });
	}
	return problems;
}

function doubledSets({ presets }: ReadableParts): ConfigProblem[] {
	const seen = new Map<string, string>();
	return readable(presets).flatMap(([id, { labels }]) =>
		labels.flatMap((set, at) => {
			if (set.length === 0) return [];
			const path = `presets.${id}.labels.${at}`;
			const first = seen.get(labelSetKey(set));
			if (first === undefined) seen.set(labelSetKey(set), path);
			return first === undefined ? [] : [{ path, reason: `the same set as ${first}: a job could not tell which preset it asks for` }];
		}),
	);
}
