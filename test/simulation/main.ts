// `bun run simulate`: simulated days, one for each seed, until one breaks a rule.
import { parseArgs } from "node:util";
import { simulate } from "./simulate.ts";

const HELP = `Simulates days of the whole system, the real relay and poller between models of GitHub, EC2 and machines that fail as the seed says.

usage: bun run simulate [--seeds N] [--from FIRST] [--lines N]

  --seeds N       how many days (default 100)
  --from FIRST    the first seed (default 1); a seed that failed fails again
  --lines N       lines of the trace shown for a seed that failed (default 80)

  bun run simulate --seeds 1 --from 4711        replay one day

The last line is "N seeds, M failed". exit status: 0 none failed; 1 one did; 2 the command line is wrong
`;

interface Wanted {
	seeds: number;
	from: number;
	lines: number;
}

function numberOf(name: string, text: string): number {
	if (!/^[0-9]{1,9}$/.test(text)) throw new Error(`--${name} takes a whole number, not ${JSON.stringify(text)}`);
	return Number(text);
}

function read(argv: string[]): Wanted | "help" {
	const { values } = parseArgs({
		args: argv,
		options: {
			seeds: { type: "string", default: "100" },
			from: { type: "string", default: "1" },
			lines: { type: "string", default: "80" },
			help: { type: "boolean", short: "h", default: false },
		},
	});
	if (values.help) return "help";
	return { seeds: numberOf("seeds", values.seeds), from: numberOf("from", values.from), lines: numberOf("lines", values.lines) };
}

/** The lines before the first rule that was broken. */
async function traceOf(seed: number, lines: number): Promise<string[]> {
	const { trace } = await simulate(seed, { trace: true });
	const broken = trace.findIndex((line) => line.includes(" BROKEN "));
	const end = broken < 0 ? trace.length : broken + 1;
	return trace.slice(Math.max(0, end - lines), end);
}

async function run({ seeds, from, lines }: Wanted): Promise<number> {
	const begun = performance.now();
	const failed: number[] = [];
	for (let seed = from; seed < from + seeds; seed++) {
		const { problems, jobs, launched, mostOpen } = await simulate(seed);
		if (problems.length > 0) {
			failed.push(seed);
			const trace = await traceOf(seed, lines);
			process.stdout.write(`\nseed ${seed}: ${jobs} jobs, ${launched} machines, at most ${mostOpen} jobs at once\n`);
			process.stdout.write(`${trace.join("\n")}\n\n${problems.map((problem) => `  ${problem}`).join("\n")}\n`);
			process.stdout.write(`again: bun run simulate --seeds 1 --from ${seed}\n\n`);
		}
		const done = seed - from + 1;
		if (done % 25 === 0 || done === seeds) {
			const perSecond = done / ((performance.now() - begun) / 1000);
			process.stderr.write(`${done} of ${seeds} seeds, ${perSecond.toFixed(2)} seeds/s, ${failed.length} failed\n`);
		}
	}
	process.stdout.write(`${seeds} seeds, ${failed.length} failed\n`);
	return failed.length > 0 ? 1 : 0;
}

async function main(argv: string[]): Promise<number> {
	try {
		const wanted = read(argv);
		if (wanted !== "help") return await run(wanted);
		process.stdout.write(HELP);
		return 0;
	} catch (error) {
		process.stderr.write(`${error instanceof Error ? error.message : String(error)}\ntry --help\n`);
		return 2;
	}
}

process.exit(await main(process.argv.slice(2)));
