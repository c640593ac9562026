// The values that describe a machine, as labels and mayfly.yml write them alike: `4`, `2+8`, `m7i`, `c7+m7.*`, `spot=false`. Pure.
import * as v from "valibot";

/** Both ends included. vCPUs, or GiB of memory. */
export const Range = v.object({ min: v.pipe(v.number(), v.gtValue(0)), max: v.pipe(v.number(), v.gtValue(0)) });
export type Range = v.InferOutput<typeof Range>;

export const Arch = v.picklist(["x64", "arm64"]);
export type Arch = v.InferOutput<typeof Arch>;

/** A value, or a sentence that says what it should have been. */
export type Reading<T> = { ok: true; value: T } | { ok: false; reason: string };

/** EC2's largest: 1920 vCPUs and 32 TiB (u7inh-32tb); above that is a typing error. */
const MOST = 32_768;
const AMOUNT = /^[0-9]{1,5}(\.[0-9]{1,2})?$/;

/** Reads `4` (exactly 4) or `2+8` (from 2 to 8). */
export function readRange(text: string): Reading<Range> {
	const amounts = text.split("+");
	const [min = 0, max = min] = amounts.map(Number);
	const isRange = amounts.length <= 2 && amounts.every((amount) => AMOUNT.test(amount)) && min > 0 && max <= MOST;
	if (!isRange) return { ok: false, reason: `${JSON.stringify(text)} is neither an amount like 4 nor a range like 2+8` };
	if (min > max) return { ok: false, reason: `${JSON.stringify(text)} is a range from the larger to the smaller amount` };
	return { ok: true, value: { min, max } };
}

const FAMILY = /^[a-z0-9*-]+(\.[a-z0-9*-]+)?$/;

/** Reads a `+` list of families (`c7` stands for all that begin so, `m7i.*` for one), of types (`m7i.large`) and of patterns with `*`. */
export function readFamilies(text: string): Reading<string[]> {
	const families = text.toLowerCase().split("+");
	const wrong = families.find((family) => !FAMILY.test(family));
	if (wrong === undefined && families.length <= 50) return { ok: true, value: families };
	return { ok: false, reason: `${JSON.stringify(text)} is not a list of families like m7i, c7+m7 or m7i.large` };
}

/** RunsOn's words. The strategies `pco`, `co` and `lp` ask for spot; ours is always price-capacity-optimized. */
const SPOT: Record<string, boolean> = { true: true, pco: true, co: true, lp: true, false: false, never: false };

/** Reads whether spot capacity is tried first. */
export function readSpot(text: string): Reading<boolean> {
	return readWord(text, SPOT);
}

/** A machine's root disk (EBS User Guide: volume types). GiB, MiB/s and operations a second; null: as EBS gives it. */
export const Volume = v.object({
	gib: v.pipe(v.number(), v.integer(), v.gtValue(0)),
	type: v.nullable(v.picklist(["gp2", "gp3", "io1", "io2"])),
	throughput: v.nullable(v.number()),
	iops: v.nullable(v.number()),
});
export type Volume = v.InferOutput<typeof Volume>;

const VOLUME_PARTS = /^(?:(?<gib>[0-9]{1,5})gb|(?<type>gp2|gp3|io1|io2)|(?<throughput>[0-9]{1,4})mibps|(?<iops>[0-9]{1,6})iops)$/;
/** What EBS takes of each type: the most GiB, from and to how many operations a second (null: not to be chosen), and how many of them for each GiB. */
const VOLUME_TYPES = {
	gp2: { gib: 16_384, iops: null, iopsPerGib: 0 },
	gp3: { gib: 65_536, iops: [3000, 80_000], iopsPerGib: 500 },
	io1: { gib: 16_384, iops: [100, 64_000], iopsPerGib: 50 },
	io2: { gib: 65_536, iops: [100, 256_000], iopsPerGib: 1000 },
} as const;
/** A gp3 disk of any size has these. */
const GP3_IOPS = 3000;
/** Four operations a second for each MiB/s. */
const IOPS_PER_MIBPS = 4;
const THROUGHPUT = [125, 2000] as const;

/** Reads `80gb`, or with more behind it in any order: `80gb:gp3:250mibps:4000iops`. Only gp3 has a throughput to choose. */
export function readVolume(text: string): Reading<Volume> {
	const refuse = (why: string): Reading<Volume> => ({ ok: false, reason: `${JSON.stringify(text)} ${why}` });
	const parts = new Map<string, string>();
	for (const part of text.toLowerCase().split(":")) {
		const [name, value] = Object.entries(VOLUME_PARTS.exec(part)?.groups ?? {}).find(([, found]) => found !== undefined) ?? [];
		if (name === undefined || value === undefined || parts.has(name))
			return refuse("is not a disk like 80gb or 80gb:gp3:250mibps:4000iops");
		parts.set(name, value);
	}
	const amount = (name: string) => (parts.has(name) ? Number(parts.get(name)) : null);
	const [gib, throughput, iops] = [amount("gib") ?? 0, amount("throughput"), amount("iops")];
	const type = (parts.get("type") ?? null) as Volume["type"];
	const kind = VOLUME_TYPES[type ?? "gp3"];
	if (gib < 1 || gib > kind.gib) return refuse(`is not a disk of 1 to ${kind.gib} GiB`);
	if (throughput !== null && (type ?? "gp3") !== "gp3") return refuse("has a throughput, which only gp3 lets one choose");
	if (throughput !== null && !isBetween(throughput, THROUGHPUT)) return refuse(`is not between ${THROUGHPUT.join(" and ")} MiB/s`);
	if (iops !== null && kind.iops === null) return refuse("has operations a second, which gp2 does not let one choose");
	if (iops !== null && kind.iops && !isBetween(iops, kind.iops))
		return refuse(`is not between ${kind.iops.join(" and ")} operations a second`);
	const [most, needed] = [Math.max(gib * kind.iopsPerGib, type?.startsWith("io") ? 0 : GP3_IOPS), (throughput ?? 0) * IOPS_PER_MIBPS];
	if ((iops ?? 0) > most) return refuse(`has more than the ${most} operations a second that EBS gives to so many GiB`);
	if ((iops ?? GP3_IOPS) < needed) return refuse(`has a throughput for which EBS asks for ${needed}iops`);
	if (iops === null && type?.startsWith("io")) return refuse(`says no operations a second, which ${type} needs`);
	return { ok: true, value: { gib, type, throughput, iops } };
}

function isBetween(amount: number, [least, most]: readonly [number, number]): boolean {
	return amount >= least && amount <= most;
}

/** RunsOn's words for whether a job that EC2 interrupted runs again. */
const RETRY: Record<string, boolean> = { "when-interrupted": true, true: true, false: false };

/** Reads whether a job runs again after EC2 took its machine. */
export function readRetry(text: string): Reading<boolean> {
	return readWord(text, RETRY);
}

/** Reads `true` or `false`. */
export function readFlag(text: string): Reading<boolean> {
	return readWord(text, { true: true, false: false });
}

function readWord(text: string, words: Record<string, boolean>): Reading<boolean> {
	const word = Object.hasOwn(words, text.toLowerCase()) ? words[text.toLowerCase()] : undefined;
	if (word !== undefined) return { ok: true, value: word };
	return { ok: false, reason: `${JSON.stringify(text)} is none of ${Object.keys(words).join(", ")}` };
}

/** Reads the value of an instance's tag, of the characters that EC2 takes and a label does not use itself. */
export function readTag(text: string): Reading<string> {
	if (/^[A-Za-z0-9_.:@+-]{1,128}$/.test(text)) return { ok: true, value: text };
	return { ok: false, reason: `${JSON.stringify(text)} is not up to 128 letters, digits and _ . : @ + -` };
}

/** Reads `x64` or `arm64`. */
export function readArch(text: string): Reading<Arch> {
	const arch = text.toLowerCase();
	if (arch === "x64" || arch === "arm64") return { ok: true, value: arch };
	return { ok: false, reason: `${JSON.stringify(text)} is neither x64 nor arm64` };
}
