// `bun run cost`: what Mayfly costs in a month. Reads the templates of what watches for what is counted there; touches nothing.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { countsOf } from "./cost-counts.ts";
import { type Bill, billOf, type Item, type PriceName, type Settings, sumOf } from "./cost-items.ts";
import { type CostOptions, type Form, HELP, readOptions } from "./cost-options.ts";
import table from "./cost-prices.json";

const TEMPLATES = ["observability.yaml", "alarms.yaml"];

interface Row {
	name: string;
	how: string;
	usd: string;
	idle: string;
	free: string;
}
const money = (usd: number) => usd.toFixed(2);

/** Which prices of a bill were read where. */
const readAs = (items: readonly Item[], how: string): PriceName[] =>
	[...new Set(items.flatMap(({ prices }) => prices))].filter((name) => table.prices[name].read === how).toSorted();

function rowsOf(bill: Bill, idle: Bill): Row[] {
	const stack = bill.stack.map((item, at) => ({
		...{ name: item.name, how: item.how, usd: money(item.usd), idle: money(idle.stack[at]?.usd ?? 0), free: money(item.free) },
	}));
	const sum = { usd: money(sumOf(bill.stack, "usd")), idle: money(sumOf(idle.stack, "usd")), free: money(sumOf(bill.stack, "free")) };
	const jobs = bill.jobs.map((item) => ({ name: item.name, how: item.how, usd: money(item.usd), idle: money(0), free: money(0) }));
	const total = sumOf(bill.stack, "usd") + sumOf(bill.jobs, "usd");
	return [
		...stack,
		{ name: "The stack", how: "all of the above", ...sum },
		...jobs,
		{ name: "All", how: "stack and machines", usd: money(total), idle: sum.idle, free: sum.free },
	];
}

const HEAD: Row = { name: "Item", how: "How much", usd: "USD", idle: "Without jobs", free: "Free tier" };

function textOf(rows: readonly Row[], form: Form): string {
	const all = [HEAD, ...rows];
	const keys = ["name", "how", "usd", "idle", "free"] as const;
	const widths = keys.map((key) => Math.max(...all.map((row) => row[key].length)));
	const cells = (row: Row) => keys.map((key, at) => (at < 2 ? row[key].padEnd(widths[at] ?? 0) : row[key].padStart(widths[at] ?? 0)));
	if (form === "text") return all.map((row) => cells(row).join("  ").trimEnd()).join("\n");
	const rule = `| ${widths.map((width, at) => (at < 2 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
	return [`| ${cells(HEAD).join(" | ")} |`, rule, ...rows.map((row) => `| ${cells(row).join(" | ")} |`)].join("\n");
}

function printed({ settings, form }: CostOptions, counts: ReturnType<typeof countsOf>): string {
	const bill = billOf(settings, counts);
	const idle = billOf({ ...settings, jobsPerMonth: 0, logGb: null }, counts);
	const remembered = readAs([...bill.stack, ...bill.jobs], "memory");
	if (form === "json") {
		const total = {
			stack: sumOf(bill.stack, "usd"),
			idle: sumOf(idle.stack, "usd"),
			jobs: sumOf(bill.jobs, "usd"),
			free: sumOf(bill.stack, "free"),
		};
		return JSON.stringify({ settings, ...bill, idle: idle.stack, total, remembered, prices: table.prices }, null, "\t");
	}
	const lines = textOf(rowsOf(bill, idle), form);
	return form === "markdown" ? lines : `${lines}\n\n${notes(settings, remembered)}`;
}

const notes = ({ jobsPerMonth, minutes, region }: Settings, remembered: PriceName[]) =>
	`US dollars a month in ${region}, ${jobsPerMonth.toLocaleString("en-US")} jobs of ${minutes} minutes. Free tier: what it takes off, if nothing else uses it.
Prices that nobody read on a page: ${remembered.join(", ")}.`;

async function main(argv: string[]): Promise<number> {
	let options: ReturnType<typeof readOptions>;
	try {
		options = readOptions(argv);
	} catch (error) {
		process.stderr.write(`${error instanceof Error ? error.message : error}\nsee bun run cost --help\n`);
		return 2;
	}
	const texts = TEMPLATES.map((name) => readFile(join(import.meta.dir, "..", "cloudformation", name), "utf8"));
	const counts = countsOf((await Promise.all(texts)).join("\n"));
	process.stdout.write(options === "help" ? HELP : `${printed(options, counts)}\n`);
	return 0;
}

process.exitCode = await main(process.argv.slice(2));
