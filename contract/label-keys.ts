// One label that describes a machine: RunsOn's grammar and its keys, each read by itself. Pure.
import {
	type Arch,
	type Range,
	type Reading,
	readArch,
	readFamilies,
	readFlag,
	readRange,
	readRetry,
	readSpot,
	readTag,
	readVolume,
	type Volume,
} from "./size.ts";

/** Every key of RunsOn (runs-on.com/configuration/job-labels): honoured, or why it is refused. A key that is not here is unknown. */
export const LABEL_KEYS: Record<string, "honoured" | { refused: string }> = {
	runner: "honoured",
	cpu: "honoured",
	ram: "honoured",
	family: "honoured",
	arch: "honoured",
	image: "honoured",
	volume: "honoured",
	spot: "honoured",
	retry: "honoured",
	ssh: "honoured",
	env: "honoured",
	region: "honoured",
	tag: "honoured",
	debug: "honoured",
	extras: { refused: "caches and mounts beside the job are not built" },
	private: { refused: "every machine is in a private subnet already" },
	"nested-virt": { refused: "nested virtualisation is not offered" },
	pool: { refused: "there are no warm pools: every machine is launched for its job" },
	sticky: { refused: "no disk outlives its job" },
	disk: { refused: "RunsOn itself has dropped it for `volume`" },
};

const HONOURED = Object.keys(LABEL_KEYS).filter((key) => LABEL_KEYS[key] === "honoured");

/** The parts of one label: each honoured key at most once, in its own type. */
export interface Keys {
	runner?: string;
	cpu?: Range;
	ram?: Range;
	family?: string[];
	arch?: Arch;
	image?: string;
	volume?: Volume;
	spot?: boolean;
	retry?: boolean;
	ssh?: boolean;
	env?: string;
	region?: string;
	tag?: string;
	debug?: boolean;
}

const readText = (text: string): Reading<string> => ({ ok: true, value: text });
const READERS: Record<keyof Keys, (text: string) => Reading<unknown>> = {
	runner: readText,
	cpu: readRange,
	ram: readRange,
	family: readFamilies,
	arch: readArch,
	image: readText,
	volume: readVolume,
	spot: readSpot,
	retry: readRetry,
	ssh: readFlag,
	env: readText,
	region: readText,
	tag: readTag,
	debug: readFlag,
};

/** `key=value` parts of a label, separated by slashes or commas, keys in lower case. */
function partsOf(label: string): [key: string, value: string][] {
	return label.split(/[/,]/).map((part) => {
		const at = part.indexOf("=");
		return at < 0 ? [part.trim().toLowerCase(), ""] : [part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()];
	});
}

/** Whether a label has a key, such as `mayfly`. */
export function hasKey(label: string, key: string): boolean {
	// Most labels have no such text at all.
	return label.toLowerCase().includes(key) && partsOf(label).some(([name]) => name === key);
}

/** Reads a whole label; every part that is wrong is named, and `keys` are those that could be read. */
export function readLabel(label: string): { ok: true; keys: Keys } | { ok: false; keys: Keys; reason: string } {
	const keys: Record<string, unknown> = {};
	const problems = partsOf(label).flatMap(([key, value]) => partProblem(key, value, keys) ?? []);
	return problems.length > 0 ? { ok: false, keys, reason: problems.join(" ") } : { ok: true, keys };
}

/** Reads one part into the keys. Null when it is as it should be, else what is wrong with it. */
function partProblem(key: string, value: string, keys: Record<string, unknown>): string | null {
	if (key === "") return "The label has an empty part: keys are separated by one slash or comma.";
	if (Object.hasOwn(keys, key)) return `The key ${key} is given twice.`;
	if (key === "mayfly" || key === "runs-on") {
		keys[key] = value;
		if (/[=;\s]/.test(value)) return `${key}=${value}: keys are separated by slashes or commas.`;
		return value === "" ? `${key}= needs an id that is the run's own: ${key}=\${{ github.run_id }}.` : null;
	}
	const status = Object.hasOwn(LABEL_KEYS, key) ? LABEL_KEYS[key] : undefined;
	if (status === undefined) return `The key ${key} is unknown: known are ${HONOURED.join(", ")}.`;
	if (status !== "honoured") return `The key ${key} is not honoured: ${status.refused}.`;
	if (value === "") return `The key ${key} has no value.`;
	const reading = READERS[key as keyof Keys](value);
	if (!reading.ok) return `${key}=${value}: ${reading.reason}.`;
	keys[key] = reading.value;
	return null;
}
