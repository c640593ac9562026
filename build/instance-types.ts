// `bun run instance-types`: makes poller/instance-types.json from what EC2 says of its types. Touches EC2 and files; decides nothing.
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { EC2Client, paginateDescribeInstanceTypes } from "@aws-sdk/client-ec2";
import { type Page, parsePage, type Row, type Table, tableOf, tableText } from "./instance-type-rows.ts";

const TABLE = join(import.meta.dir, "..", "poller", "instance-types.json");

const HELP = `Makes the table of instance types that the poller ships from EC2's own DescribeInstanceTypes, and says what has changed.

usage: bun run instance-types [--from FILE...] [--region R] [--source TEXT] [--out FILE]

  --from FILE...  answers saved by \`aws ec2 describe-instance-types --output json > FILE\`, one or more, plain or gzip:
                  those of several regions together give what any of them has
  --region R      ask EC2 in this region, with the credentials of the AWS SDK (default: the SDK's own region)
  --source TEXT   what the table says of where and when it is from (default: the files' names; the region and the day)
  --out FILE      the table (default poller/instance-types.json)
  --help          this text

The same input gives the same bytes. A table whose rows have not changed is left as it is, unless --source is given.

exit status: 0 the table is as EC2 says; 1 a file or EC2 could not be read, nothing was written; 2 the command line is wrong
`;

interface Options {
	from: string[];
	region: string | undefined;
	source: string | undefined;
	out: string;
}

/** Throws with what is wrong. */
function readOptions(argv: string[]): Options | "help" {
	const { values, positionals } = parseArgs({
		args: argv,
		allowPositionals: true,
		options: {
			from: { type: "string", multiple: true, default: [] },
			region: { type: "string" },
			source: { type: "string" },
			out: { type: "string", default: TABLE },
			help: { type: "boolean", short: "h", default: false },
		},
	});
	if (values.help) return "help";
	if (positionals.length > 0 && values.from.length === 0) throw new Error(`${positionals[0]} stands alone: files come behind --from`);
	if (values.from.length > 0 && values.region !== undefined) throw new Error("--from and --region exclude each other");
	return { from: [...values.from, ...positionals], region: values.region, source: values.source, out: values.out };
}

async function readPage(file: string): Promise<Page> {
	try {
		const bytes = await readFile(file);
		const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
		return parsePage(JSON.parse((isGzip ? gunzipSync(bytes) : bytes).toString("utf8")));
	} catch (error) {
		throw new Error(`${file}: ${error instanceof Error ? error.message : error}`, { cause: error });
	}
}

/** All that EC2 has in a region. */
async function askPages(region: string | undefined): Promise<{ pages: Page[]; source: string }> {
	const client = new EC2Client({ ...(region && { region }) });
	const pages: Page[] = [];
	for await (const page of paginateDescribeInstanceTypes({ client, pageSize: 100 }, {})) pages.push(parsePage(page));
	const day = new Date().toISOString().slice(0, "2026-11-23".length);
	return { pages, source: `DescribeInstanceTypes in ${await client.config.region()}, ${day}` };
}

async function readTable(file: string): Promise<Table> {
	const text = await readFile(file, "utf8").catch(() => null);
	return text === null ? { x64: [], arm64: [] } : JSON.parse(text);
}

/** A line for each type that came, went or is told otherwise. */
export function changes(before: Table, after: Table): string[] {
	const rowsOf = (table: Table) => new Map([...table.x64, ...table.arm64].map((row): [string, Row] => [row[0], row]));
	const [old, now] = [rowsOf(before), rowsOf(after)];
	const changed = [...now.values()].filter((row) => old.has(row[0]) && JSON.stringify(old.get(row[0])) !== JSON.stringify(row));
	return [
		...[...now.keys()].filter((name) => !old.has(name)).map((name) => `added ${name}`),
		...[...old.keys()].filter((name) => !now.has(name)).map((name) => `removed ${name}`),
		...changed.map((row) => `changed ${row[0]}: ${JSON.stringify(old.get(row[0])?.slice(1))} is now ${JSON.stringify(row.slice(1))}`),
	];
}

/** Reads, compares and writes; gives the lines that say so. */
async function refresh({ from, region, source, out }: Options): Promise<string[]> {
	const read =
		from.length > 0
			? {
					pages: await Promise.all(from.map(readPage)),
					source: `DescribeInstanceTypes from ${from.map((file) => basename(file)).join(", ")}`,
				}
			: await askPages(region);
	const table = tableOf(read.pages);
	const lines = changes(await readTable(out), table);
	const isSame = lines.length === 0 && source === undefined;
	if (!isSame) await writeFile(out, tableText(source ?? read.source, table));
	return [...lines, `${table.x64.length} types for x64, ${table.arm64.length} for arm64${isSame ? ": nothing has changed" : ` in ${out}`}`];
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
