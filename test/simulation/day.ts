// One process of `bun run simulate`: simulates every day it is asked for and answers what came of it.
import type { Plant } from "./plants.ts";
import { type Peaks, simulate } from "./simulate.ts";
import { openSqlite } from "./storage.ts";

export interface Asked {
	seed: number;
	/** Lines of the trace shown when a rule was broken. */
	lines: number;
	sqlite: boolean;
	/** Whether the trace is to be told by its hash. */
	hash: boolean;
	/** A fault of the poller that is put in. */
	plant: Plant | null;
}
export interface Day {
	seed: number;
	/** What people read of a day that broke a rule. */
	failure: string | null;
	hash: string | null;
	/** How close it came to its bounds; null when it threw. */
	peaks: Peaks | null;
}

/** The lines before the first rule that was broken. */
function before(trace: readonly string[], lines: number): readonly string[] {
	const broken = trace.findIndex((line) => line.includes(" BROKEN "));
	const end = broken < 0 ? trace.length : broken + 1;
	return trace.slice(Math.max(0, end - lines), end);
}

/** Simulates a day; one that broke a rule is simulated again to write down its trace. */
export async function dayOf({ seed, lines, sqlite, hash, plant }: Asked): Promise<Day> {
	const run = (trace: boolean) => simulate(seed, { trace, ...(sqlite && { storage: openSqlite() }), ...(plant && { plant }) });
	const outcome = await run(hash);
	const hashed = hash ? new Bun.CryptoHasher("sha256").update(outcome.trace.join("\n")).digest("hex") : null;
	if (outcome.problems.length === 0) return { seed, failure: null, hash: hashed, peaks: outcome.peaks };
	const { trace, problems, jobs, launched, peaks } = await run(true);
	const head = `seed ${seed}: ${jobs} jobs, ${launched} machines, at most ${peaks.open} jobs at once`;
	const told = problems.map((problem) => `  ${problem}`);
	const again = `again: bun run simulate --seeds 1 --from ${seed}${sqlite ? " --sqlite" : ""}${plant ? ` --plant ${plant}` : ""}`;
	return { seed, failure: [head, ...before(trace, lines), "", ...told, again].join("\n"), hash: hashed, peaks };
}

if (import.meta.main) {
	const answer = (day: Day) => void process.send?.(day);
	process.on("message", (asked: Asked) => {
		const threw = (error: unknown): Day => {
			const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
			return { seed: asked.seed, failure: `seed ${asked.seed} threw ${what}`, hash: null, peaks: null };
		};
		dayOf(asked).catch(threw).then(answer);
	});
	// Ctrl-C is told to the whole group: whoever started this process ends it.
	process.on("SIGINT", () => undefined);
	process.on("disconnect", () => process.exit(0));
}
