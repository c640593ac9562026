// `bun run prices`: makes poller/prices.json, what the types that may be launched cost, from two public tables. Touches files; decides nothing.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import table from "../poller/instance-types.json";
import { factorsOf, HOME, type Prices, parseKarpenter, parseLibcloud, pricesOf, pricesText } from "./price-rows.ts";

const FILE = join(import.meta.dir, "..", "poller", "prices.json");

const HELP = `Makes the table of on-demand prices that the poller ships, for the types in poller/instance-types.json, and says what has changed.
AWS has no price list that a poller in a VPC could ask for free, so this is an estimate: the list prices of ${HOME}, times one factor
for each region, which is the median of what both regions price.

usage: bun run prices --prices FILE --regions FILE [--out FILE]

  --prices FILE   zz_generated.pricing_aws.go of karpenter-provider-aws: the prices of ${HOME}
  --regions FILE  pricing.json of apache-libcloud: prices of all regions, older and with gaps, for the factors
  --out FILE      the table (default poller/prices.json)
  --help          this text

examples, in a folder of its own:
  go mod download -json github.com/aws/karpenter-provider-aws@v1.15.1    # the file is in Dir, under pkg/providers/pricing/
  pip download --no-deps apache-libcloud && unzip -p apache_libcloud-*.whl libcloud/data/pricing.json > pricing.json
  bun run prices --prices zz_generated.pricing_aws.go --regions pricing.json

exit status: 0 the table is as the files say; 1 a file could not be read, nothing was written; 2 the command line is wrong
`;

interface Options {
	prices: string;
	regions: string;
	out: string;
}

/** Throws with what is wrong. */
function readOptions(argv: string[]): Options | "help" {
	const text = { type: "string" } as const;
	const { values } = parseArgs({
		args: argv,
		options: { prices: text, regions: text, out: { ...text, default: FILE }, help: { type: "boolean", short: "h", default: false } },
	});
	if (values.help) return "help";
	const { prices, regions, out } = values;
	if (prices === undefined || regions === undefined) throw new Error(`${prices === undefined ? "--prices" : "--regions"} is missing`);
	return { prices, regions, out };
}

async function parsed<T>(file: string, parse: (text: string) => T): Promise<T> {
	try {
		return parse(await readFile(file, "utf8"));
	} catch (error) {
		throw new Error(`${file}: ${error instanceof Error ? error.message : error}`, { cause: error });
	}
}

async function before(file: string): Promise<Prices> {
	const text = await readFile(file, "utf8").catch(() => null);
	return text === null ? {} : (JSON.parse(text) as { usdPerHour: Prices }).usdPerHour;
}

/** A line for each price that came, went or changed. */
export function priceChanges(old: Prices, now: Prices): string[] {
	return [
		...Object.keys(now).flatMap((type) => (type in old ? [] : [`added ${type}`])),
		...Object.keys(old).flatMap((type) => (type in now ? [] : [`removed ${type}`])),
		...Object.entries(now).flatMap(([type, price]) =>
			type in old && old[type] !== price ? [`changed ${type}: ${old[type]} is now ${price}`] : [],
		),
	];
}

async function refresh({ prices, regions, out }: Options): Promise<string[]> {
	const [home, world] = await Promise.all([parsed(prices, parseKarpenter), parsed(regions, parseLibcloud)]);
	const types = [...table.x64, ...table.arm64].map(([name]) => String(name));
	const [usdPerHour, factors] = [pricesOf(home.prices, types), factorsOf(world.table, types)];
	const source = `On-demand Linux list prices of ${HOME} on ${home.day}, as github.com/aws/karpenter-provider-aws ships them; factors of regions: median ratios to ${HOME} on ${world.day}, from the table that apache-libcloud ships`;
	const lines = priceChanges(await before(out), usdPerHour);
	await writeFile(out, pricesText(source, usdPerHour, factors));
	const unpriced = types.filter((type) => !(type in usdPerHour));
	return [
		...lines,
		...(unpriced.length > 0 ? [`without a price: ${unpriced.join(" ")}`] : []),
		`${Object.keys(usdPerHour).length} of ${types.length} types, ${Object.keys(factors).length} regions in ${out}`,
	];
}

async function main(argv: string[]): Promise<number> {
	let options: ReturnType<typeof readOptions>;
	try {
		options = readOptions(argv);
	} catch (error) {
		process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
		return 2;
	}
	if (options === "help") {
		process.stdout.write(HELP);
		return 0;
	}
	try {
		process.stdout.write(`${(await refresh(options)).join("\n")}\n`);
		return 0;
	} catch (error) {
		process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
		return 1;
	}
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
