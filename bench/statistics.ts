// What many measurements come to. Pure.

/** The value below which a share of the values lies (nearest rank); NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
	const sorted = values.toSorted((a, b) => a - b);
	return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
	return percentile(values, 0.5);
}

/** A bar that a figure must keep to. */
export interface Bar {
	name: string;
	value: number;
	bound: number;
	/** Whether more is better. */
	least: boolean;
}

export function holds({ value, bound, least }: Bar): boolean {
	return least ? value >= bound : value <= bound;
}

/** Rows as text columns: names to the left, figures to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
	const all = [head, ...rows];
	const widths = head.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)));
	return all.map((row) => row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join("  "));
}
