// What an hour of each launchable type costs, and how much dearer each region is, from two public tables. Pure.

/** US dollars an hour, by type. */
export type Prices = Record<string, number>;
/** Price of a region over that of us-east-1. */
export type Factors = Record<string, number>;

export const HOME = "us-east-1";
/** Fewer types that both regions price say too little. */
const FEWEST = 20;
const PLACES = 1e6;
/** Local zones have names of their own, such as `us-west-2-lax-1`. */
const REGION = /^[a-z]{2}(-[a-z]+){1,2}-[0-9]$/;

/** Reads `"c5.large": 0.085000` and the day of it from karpenter-provider-aws' generated Go. Throws if it is not of us-east-1. */
export function parseKarpenter(text: string): { day: string; prices: Prices } {
	const day = new RegExp(`^// generated at ([0-9-]{10})T.* for ${HOME}$`, "m").exec(text)?.[1];
	const rows = [...text.matchAll(/"([a-z0-9-]+\.[a-z0-9-]+)":\s*([0-9.]+)/g)].map(([, type = "", price]) => [type, Number(price)] as const);
	if (!day || rows.length === 0) throw new Error(`it is no table of on-demand prices for ${HOME}, as karpenter-provider-aws generates it`);
	return { day, prices: Object.fromEntries(rows.filter(([, price]) => price > 0)) };
}

/** Reads the prices of Linux by type and region from apache-libcloud's `pricing.json`; a price of 0 is one that it does not know. */
export function parseLibcloud(text: string): { day: string; table: Record<string, Prices> } {
	const { compute, updated } = JSON.parse(text) as { compute?: { ec2_linux?: Record<string, Prices> }; updated?: number };
	if (!compute?.ec2_linux || !updated) throw new Error("it is no pricing.json of apache-libcloud");
	return { day: new Date(updated * 1000).toISOString().slice(0, "2026-11-23".length), table: compute.ec2_linux };
}

function median(values: readonly number[]): number {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = Math.floor(sorted.length / 2);
	return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

const byName = <T>(entries: Iterable<readonly [string, T]>): Record<string, T> =>
	Object.fromEntries([...entries].toSorted(([a], [b]) => (a < b ? -1 : 1)));
const rounded = (value: number, places: number) => Math.round(value * places) / places;

/** The middle of the ratios to us-east-1 over the types that both price, for each region that has enough of them. */
export function factorsOf(table: Record<string, Prices>, types: readonly string[]): Factors {
	const ratios = types.flatMap((type) => {
		const { [HOME]: home = 0, ...others } = table[type] ?? {};
		return home > 0 ? Object.entries(others).flatMap(([region, price]) => (price > 0 ? [{ region, ratio: price / home }] : [])) : [];
	});
	const regions = Map.groupBy(ratios, ({ region }) => region);
	const known = [...regions].filter(([region, its]) => REGION.test(region) && its.length >= FEWEST);
	const factors = known.map(([region, its]) => [region, rounded(median(its.map(({ ratio }) => ratio)), 1e3)] as const);
	return byName([[HOME, 1] as const, ...factors]);
}

/** The prices of the types that may be launched; those without one are left out. */
export function pricesOf(all: Prices, types: readonly string[]): Prices {
	return byName(types.flatMap((type) => (all[type] === undefined ? [] : [[type, rounded(all[type], PLACES)] as const])));
}

/** The file: a line for each price, so that a change reads as one, formatted as the linter wants it. */
export function pricesText(source: string, prices: Prices, factors: Factors): string {
	const list = (record: Record<string, number>) =>
		Object.entries(record)
			.map(([name, value]) => `\t\t"${name}": ${value}`)
			.join(",\n");
	return `{\n\t"source": ${JSON.stringify(source)},\n\t"usdPerHour": {\n${list(prices)}\n\t},\n\t"factors": {\n${list(factors)}\n\t}\n}\n`;
}
