// `bun run simulate`: simulated days, one for each seed, and what is wrong with those that break a rule.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { BOUND_LINE } from "./bounds.ts";
import { PLANTS } from "./plants.ts";
import { type Days, simulateDays } from "./processes.ts";
import type { Peaks } from "./simulate.ts";

const HELP = `Simulates days of the whole system, the real relay and poller between models of GitHub, EC2 and machines that fail as the seed says.

usage: bun run simulate [--seeds N] [--from FIRST] [--jobs K] [--lines N] [--sqlite] [--hash] [--plant FAULT]

  --seeds N       how many days (default 100)
  --from FIRST    the first seed (default 1); a seed that failed fails again
  --jobs K        how many processes (default: one for each core); what is found does not depend on it
  --lines N       lines of the trace shown for a seed that failed (default 80)
  --sqlite        keeps the relay's rows in SQLite, not in maps: slower, and the same days
  --hash          prints the hash of each day's trace: two builds with the same hashes do the same
  --plant FAULT   puts a fault into the poller, to see that a rule breaks: ${PLANTS.join(", ")}

  bun run simulate --seeds 1 --from 4711        replay one day
  bun run simulate --seeds 20 --hash > before   then change something and compare

The last line is "N seeds, M failed". exit status: 0 none failed; 1 one did; 2 the command line is wrong; 130 stopped
`;
const TOLD_EVERY_MS = 5000;

function numberOf(name: string, text: string): number {
	if (!/^[0-9]{1,9}$/.test(text)) throw new Error(`--${name} takes a whole number, not ${JSON.stringify(text)}`);
	return Number(text);
}

function read(argv: string[]): Days | "help" {
	const { values } = parseArgs({
		args: argv,
		options: {
			seeds: { type: "string", default: "100" },
			from: { type: "string", default: "1" },
			jobs: { type: "string", default: String(availableParallelism()) },
			lines: { type: "string", default: "80" },
			sqlite: { type: "boolean", default: false },
			hash: { type: "boolean", default: false },
			plant: { type: "string" },
			help: { type: "boolean", short: "h", default: false },
		},
	});
	if (values.help) return "help";
	const { sqlite, hash } = values;
	const plant = PLANTS.find((it) => it === values.plant) ?? null;
	if (values.plant !== undefined && !plant) throw new Error(`--plant takes one of ${PLANTS.join(", ")}`);
	const jobs = numberOf("jobs", values.jobs);
	if (jobs === 0) throw new Error("--jobs takes at least 1");
	const lines = numberOf("lines", values.lines);
	return { seeds: numberOf("seeds", values.seeds), from: numberOf("from", values.from), jobs, lines, sqlite, hash, plant };
}

async function run(wanted: Days): Promise<number> {
	const { seeds } = wanted;
	const begun = performance.now();
	let [done, failed, toldAt] = [0, 0, begun];
	const most: Peaks = { open: 0, spare: 0, over: 0, points: 0 };
	process.stdout.write(`${BOUND_LINE}\n`);
	const { done: all, stop } = simulateDays(wanted, ({ seed, failure, hash, peaks }) => {
		if (hash !== null) process.stdout.write(`seed ${seed} ${hash}\n`);
		if (failure !== null) process.stdout.write(`\n${failure}\n\n`);
		done += 1;
		for (const name of ["open", "spare", "over", "points"] as const) most[name] = Math.max(most[name], peaks?.[name] ?? 0);
		failed += failure === null ? 0 : 1;
		const now = performance.now();
		if (now - toldAt < TOLD_EVERY_MS && done < seeds) return;
		toldAt = now;
		process.stderr.write(`${done} of ${seeds} seeds, ${(done / ((now - begun) / 1000)).toFixed(2)} seeds/s, ${failed} failed\n`);
	});
	const stopped = (status: number) => () => {
		stop();
		process.exit(status);
	};
	process.once("SIGINT", stopped(130)).once("SIGTERM", stopped(143));
	await all;
	const told = [
		`${most.open} jobs open`,
		`${most.spare} machines beyond them`,
		`${most.over} beyond a cap`,
		`${most.points} points in a minute`,
	];
	process.stdout.write(`the most: ${told.join(", ")}\n`);
	process.stdout.write(`${seeds} seeds, ${failed} failed\n`);
	return failed > 0 ? 1 : 0;
}

async function main(argv: string[]): Promise<number> {
	let wanted: Days | "help";
	try {
		wanted = read(argv);
	} catch (error) {
		process.stderr.write(`${error instanceof Error ? error.message : String(error)}\ntry --help\n`);
		return 2;
	}
	if (wanted !== "help") return run(wanted);
	process.stdout.write(HELP);
	return 0;
}

process.exit(await main(process.argv.slice(2)));
