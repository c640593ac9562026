// What a bench found: tables for people, figures for programs, bars that were kept or missed. Pure.
import { type Bar, holds, table } from "./statistics.ts";

export interface Report {
	/** Which bench: the name of its file below results/. */
	name: string;
	figures: Record<string, unknown>;
	tables: { title: string; head: string[]; rows: string[][] }[];
	bars: Bar[];
	/** What the figures mean, in sentences. */
	notes: string[];
}

function barLine(bar: Bar): string[] {
	const bound = `${bar.least ? "at least" : "at most"} ${bar.bound}`;
	return [bar.name, bar.value.toFixed(2), bound, holds(bar) ? "kept" : "MISSED"];
}

/** The report as lines for people. */
export function reportLines({ tables, bars, notes }: Report): string[] {
	const shown = tables.flatMap(({ title, head, rows }) => [title, ...table(head, rows), ""]);
	return [...shown, ...table(["bar", "value", "bound", ""], bars.map(barLine)), "", ...notes];
}

/** The report as JSON, with where it was measured. */
export function reportJson({ name, figures, bars }: Report, machine: Record<string, unknown>): string {
	const judged = bars.map((bar) => ({ ...bar, kept: holds(bar) }));
	return `${JSON.stringify({ name, machine, figures, bars: judged }, null, "\t")}\n`;
}
