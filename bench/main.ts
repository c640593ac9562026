// `bun run bench <what>`: measures one part, prints what it found and keeps it below bench/results/.
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { benchRelay } from "./relay/main.ts";
import { interrupt } from "./relay/subjects.ts";
import { type Report, reportJson, reportLines } from "./report.ts";
import { holds } from "./statistics.ts";

const HELP = `Measures a part of Mayfly on this machine. Figures are ratios within one run; absolute ones belong to the machine.

usage: bun run bench relay [--rounds N] [--requests N] [--rows N] [--out FILE] [--json]

  --rounds N      rounds of each measurement, of which the median counts (default 5)
  --requests N    webhooks for each number of senders in a round (default 6000)
  --rows N        ended jobs behind the slowest lease (default 1000000; about 2 GB of disk while it runs)
  --out FILE      where the figures go (default bench/results/relay.json)
  --json          print the figures as JSON and nothing else

exit status: 0 every bar was kept; 1 one was missed; 2 the command line is wrong; 130 interrupted, nothing is left behind
`;

interface Options {
	rounds: number;
	requests: number;
	rows: number;
	out: string;
	json: boolean;
}

function wholeNumber(name: string, text: string): number {
	if (!/^[1-9][0-9]{0,7}$/.test(text)) throw new Error(`--${name} takes a whole number from 1, not ${JSON.stringify(text)}`);
	return Number(text);
}

function readOptions(argv: string[]): Options | "help" {
	const { values, positionals } = parseArgs({
		args: argv,
		allowPositionals: true,
		options: {
			rounds: { type: "string", default: "5" },
			requests: { type: "string", default: "6000" },
			rows: { type: "string", default: "1000000" },
			out: { type: "string", default: join(import.meta.dir, "results", "relay.json") },
			json: { type: "boolean", default: false },
			help: { type: "boolean", short: "h", default: false },
		},
	});
	if (values.help) return "help";
	if (positionals.length !== 1 || positionals[0] !== "relay") throw new Error("say what to measure: relay");
	const numbers = { rounds: wholeNumber("rounds", values.rounds), requests: wholeNumber("requests", values.requests) };
	return { ...numbers, rows: wholeNumber("rows", values.rows), out: values.out, json: values.json };
}

async function machine(): Promise<Record<string, unknown>> {
	const { version: workerd } = (await import("workerd/package.json")).default;
	const model = cpus()[0]?.model ?? "unknown";
	return { cpu: model, cores: availableParallelism(), memoryGiB: Math.round(totalmem() / 2 ** 30), workerd, bun: Bun.version };
}

async function keep(report: Report, options: Options): Promise<void> {
	const json = reportJson(report, await machine());
	await mkdir(dirname(options.out), { recursive: true });
	await writeFile(options.out, json);
	process.stdout.write(options.json ? json : `${reportLines(report).join("\n")}\n`);
}

async function main(argv: string[]): Promise<number> {
	let options: Options | "help";
	try {
		options = readOptions(argv);
	} catch (error) {
		process.stderr.write(`${error instanceof Error ? error.message : String(error)}\ntry --help\n`);
		return 2;
	}
	if (options === "help") {
		process.stdout.write(HELP);
		return 0;
	}
	const interrupted = new AbortController();
	for (const name of ["SIGINT", "SIGTERM"] as const)
		process.once(name, () => {
			interrupted.abort();
			void interrupt();
		});
	try {
		const report = await benchRelay(options, (text) => process.stderr.write(`${text}\n`));
		await keep(report, options);
		return report.bars.every(holds) ? 0 : 1;
	} catch (error) {
		if (!interrupted.signal.aborted) throw error;
		process.stderr.write("interrupted: nothing was kept\n");
		return 130;
	}
}

process.exit(await main(process.argv.slice(2)));
