// `bun run bench poller`: the built poller between stand-ins that take as long as the real ones, free and with what Lambda gives it.
import { temporaryFolder } from "../relay/subjects.ts";
import type { Report } from "../report.ts";
import type { Bar } from "../statistics.ts";
import { median } from "../statistics.ts";
import { type Burst, burst } from "./burst.ts";
import { cpuShare, limitTo } from "./cgroup.ts";
import { FLOOR_MS, LEGS } from "./latencies.ts";
import { monthlyCost } from "./monthly-cost.ts";
import { peakOf, startStage } from "./stage.ts";

export interface PollerBench {
	rounds: number;
	/** How many jobs come at once, each measured by itself. */
	jobs: number[];
	/** Memory of the function, MB. */
	sizes: number[];
}

/** What one size of the function made of a hundred jobs. */
export interface Sized {
	memoryMb: number;
	/** Until it leases; NaN if it never did. */
	startMs: number;
	lastMs: number;
	/** Resident pages of the process, and everything that counts against its group. */
	peakRssMb: number;
	peakGroupMb: number;
	isKilled: boolean;
	/** US dollars. */
	monthly: number;
}

const SIZED_JOBS = 100;
/** The size that the stack's template gives it (docs/decisions/0009). */
export const CHOSEN_MB = 640;
const MB = 1024 * 1024;

/** A burst on a stage of its own, after one job that fetches the installation's token as a session's first look does. */
async function measured(folder: string, count: number, labels: number): Promise<Burst> {
	const stage = await startStage(folder);
	try {
		await burst(stage, 1);
		return await burst(stage, count, labels);
	} finally {
		await stage.stop();
	}
}

function middle(rounds: readonly Burst[]): Burst {
	const [first] = rounds;
	if (!first) throw new Error("nothing was measured");
	const of = (figure: "first" | "median" | "last" | "longestWait") => median(rounds.map((it) => it[figure]));
	const most = (call: keyof Burst["calls"]) => Math.max(...rounds.map(({ calls }) => calls[call]));
	const calls = Object.fromEntries(Object.keys(first.calls).map((call) => [call, most(call as keyof Burst["calls"])])) as Burst["calls"];
	return { ...first, first: of("first"), median: of("median"), last: of("last"), longestWait: of("longestWait"), calls };
}

async function sized(folder: string, memoryMb: number): Promise<Sized> {
	const group = await limitTo(memoryMb);
	const stage = await startStage(folder, group.under).catch(async (error: unknown) => {
		await group.remove();
		throw error;
	});
	try {
		const isLeasing = !Number.isNaN(stage.startedAfter);
		if (isLeasing) await burst(stage, 1);
		const lastMs = isLeasing ? (await burst(stage, SIZED_JOBS)).last : Number.NaN;
		const peakRssMb = ((await peakOf(stage.poller.pid)) ?? Number.NaN) / MB;
		const figures = { memoryMb, startMs: stage.startedAfter, lastMs, peakRssMb, peakGroupMb: (await group.peakBytes()) / MB };
		return { ...figures, isKilled: await group.wasKilled(), monthly: monthlyCost(memoryMb) };
	} finally {
		await stage.stop();
		await group.remove();
	}
}

/** Times are the middle ones, memory is the most that was seen. */
function middleOf(all: readonly Sized[]): Sized {
	const [first] = all;
	if (!first) throw new Error("nothing was measured");
	const of = (figure: "startMs" | "lastMs") => median(all.map((it) => it[figure]));
	const most = (figure: "peakRssMb" | "peakGroupMb") => Math.max(...all.map((it) => it[figure]));
	const isKilled = all.some((it) => it.isKilled);
	return {
		...first,
		startMs: of("startMs"),
		lastMs: of("lastMs"),
		peakRssMb: most("peakRssMb"),
		peakGroupMb: most("peakGroupMb"),
		isKilled,
	};
}

function barsOf(bursts: readonly Burst[], sizes: readonly Sized[]): Bar[] {
	const of = (count: number) => bursts.find(({ jobs, labels }) => jobs === count && labels === 1);
	const bar = (name: string, value: number | undefined, bound: number): Bar[] =>
		value === undefined ? [] : [{ name, value, bound, least: false }];
	const [one, hundred, thousand] = [of(1), of(100), of(1000)];
	const chosen = sizes.find(({ memoryMb }) => memoryMb === CHOSEN_MB);
	return [
		...bar("1 job: document / floor", one && one.last / FLOOR_MS, 1.2),
		...bar("100 jobs: last document, ms", hundred?.last, 2700),
		...bar("100 jobs: CreateFleet calls", hundred?.calls.createFleet, 2),
		...bar("100 jobs: reads of GitHub", hundred?.calls.githubReads, 3),
		...bar("1,000 jobs: longest wait of a machine, s", thousand && thousand.longestWait / 1000, 60),
		...bar(`${CHOSEN_MB} MB, 100 jobs: last document, ms`, chosen?.lastMs, 4000),
		...bar(`${CHOSEN_MB} MB: peak RSS / memory`, chosen && chosen.peakRssMb / CHOSEN_MB, 0.8),
	];
}

/** Measures everything in one run. `say` is told of progress. */
export async function benchPoller({ rounds, jobs, sizes }: PollerBench, say: (text: string) => void): Promise<Report> {
	await using folder = await temporaryFolder();
	const bursts: Burst[] = [];
	const kinds = jobs.flatMap((count) =>
		count === 100
			? [
					{ count, labels: 1 },
					{ count, labels: 10 },
				]
			: [{ count, labels: 1 }],
	);
	for (const { count, labels } of kinds) {
		// More than GitHub's budget lets through in a minute: long, and paced by a clock.
		const times = count > 100 ? 1 : rounds;
		const all: Burst[] = [];
		for (let at = 1; at <= times; at++) {
			all.push(await measured(folder.path, count, labels));
			say(`${count} jobs, ${labels} labels: round ${at} of ${times}, last document after ${Math.round(all.at(-1)?.last ?? Number.NaN)} ms`);
		}
		bursts.push(middle(all));
	}
	const bySize: Sized[] = [];
	for (const memoryMb of sizes) {
		const all: Sized[] = [];
		for (let at = 1; at <= rounds; at++) {
			all.push(await sized(folder.path, memoryMb));
			say(`${memoryMb} MB: round ${at} of ${rounds}, last document after ${Math.round(all.at(-1)?.lastMs ?? Number.NaN)} ms`);
		}
		bySize.push(middleOf(all));
	}
	const ms = (value: number) => (Number.isNaN(value) ? "never" : value.toFixed(0));
	return {
		name: "poller",
		figures: { rounds, floorMs: FLOOR_MS, bursts, sizes: bySize },
		tables: [
			{
				title: "The floor: what each boot document waits for",
				head: ["", "ms"],
				rows: [...LEGS, ["together", FLOOR_MS] as const].map(([what, time]) => [what, String(time)]),
			},
			{
				title: "From the first webhook accepted to boot documents written, ms",
				head: [
					"jobs",
					"labels",
					"first",
					"median",
					"last",
					"longest wait",
					"CreateFleet",
					"other EC2",
					"GitHub reads",
					"changes",
					"documents",
				],
				rows: bursts.map(({ jobs, labels, calls, ...it }) => [
					...[String(jobs), String(labels), ms(it.first), ms(it.median), ms(it.last), ms(it.longestWait)],
					...[calls.createFleet, calls.otherEc2, calls.githubReads, calls.githubChanges, calls.documents].map(String),
				]),
			},
			{
				title: `With Lambda's share of a CPU and memory, ${SIZED_JOBS} jobs`,
				head: ["MB", "CPU", "start ms", "last document ms", "peak RSS MB", "peak group MB", "killed", "USD a month"],
				rows: bySize.map((it) => [
					...[String(it.memoryMb), `${(100 * cpuShare(it.memoryMb)).toFixed(1)}%`, ms(it.startMs), ms(it.lastMs), it.peakRssMb.toFixed(0)],
					...[it.peakGroupMb.toFixed(0), it.isKilled ? "yes" : "no", it.monthly.toFixed(2)],
				]),
			},
		],
		bars: barsOf(bursts, bySize),
		notes: [
			"The longest wait is of a machine for its registration and document, after CreateFleet had answered.",
			"For scale: the most used open-source peer needs 2.0 to 2.2 s for one job and 109 s for the hundredth at these latencies, after a delay of 30 s.",
		],
	};
}
