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
	const spot = Object.hasOwn(SPOT, text.toLowerCase()) ? SPOT[text.toLowerCase()] : undefined;
	if (spot !== undefined) return { ok: true, value: spot };
	return { ok: false, reason: `${JSON.stringify(text)} is none of ${Object.keys(SPOT).join(", ")}` };
}

/** Reads `x64` or `arm64`. */
export function readArch(text: string): Reading<Arch> {
	const arch = text.toLowerCase();
	if (arch === "x64" || arch === "arm64") return { ok: true, value: arch };
	return { ok: false, reason: `${JSON.stringify(text)} is neither x64 nor arm64` };
}
