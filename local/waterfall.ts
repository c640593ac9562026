// How long each stage of each job took, drawn as one bar per job on a common scale. Pure.
import type { Timings } from "../contract/job.ts";
import type { JobSummary } from "./summary.ts";

/** A stage ends at the named moment; it began where the stage before it ended, the first when GitHub queued the job. */
const STAGES = [
	{ name: "webhook", mark: "w", ends: "receivedAt" },
	{ name: "lease", mark: "l", ends: "leasedAt" },
	{ name: "launch", mark: "L", ends: "launchedAt" },
	{ name: "boot", mark: "b", ends: "claimedAt" },
	{ name: "listening", mark: "r", ends: "listeningAt" },
	{ name: "assigned", mark: "a", ends: "startedAt" },
	{ name: "running", mark: "█", ends: "finishedAt" },
	{ name: "off", mark: "o", ends: "offAt" },
] as const satisfies { name: string; mark: string; ends: keyof Timings }[];

const COLUMN = 10;
/** A bar below this says nothing; a terminal without room for more shows bars and no figures. */
const NARROWEST_BAR = 10;
const HEADS = STAGES.map(({ name }) => name.padStart(COLUMN)).join("");

interface Span {
	mark: string;
	from: number;
	to: number;
}

/** The stages that a job went through, each with its two moments; one that was not reached is null. */
function spansOf(job: JobSummary): (Span | null)[] {
	let from = job.queuedAt;
	return STAGES.map(({ mark, ends }) => {
		const to = job.timings[ends];
		if (to === null || from === null) return null;
		const span = { mark, from, to };
		from = to;
		return span;
	});
}

function bar(spans: (Span | null)[], start: number, end: number, width: number): string {
	const cell = (column: number) => {
		const at = start + ((column + 0.5) / width) * (end - start);
		return spans.find((span) => span !== null && span.from <= at && at < span.to)?.mark ?? " ";
	};
	return Array.from({ length: width }, (_, column) => cell(column)).join("");
}

/** The table with its legend, without colour. `width` is that of the terminal in columns; jobs that got no machine are left out. */
export function waterfall(jobs: JobSummary[], width: number): string[] {
	const rows = jobs.filter((job) => job.instanceId !== null).map((job) => ({ name: job.name, spans: spansOf(job) }));
	const moments = rows.flatMap(({ spans }) => spans.flatMap((span) => (span === null ? [] : [span.from, span.to])));
	if (moments.length === 0) return [];
	const [start, end] = [Math.min(...moments), Math.max(...moments)];
	const nameWidth = Math.min(28, Math.max(3, ...rows.map(({ name }) => name.length)));
	const hasFigures = width >= nameWidth + HEADS.length + NARROWEST_BAR + 2;
	const barWidth = Math.max(NARROWEST_BAR, Math.min(60, width - nameWidth - 2 - (hasFigures ? HEADS.length : 0)));
	const line = (name: string, drawn: string, figures: string) => `${name} ${drawn} ${hasFigures ? figures : ""}`.trimEnd();
	const lines = rows.map(({ name, spans }) => {
		const figures = spans.map((span) => (span === null ? "-" : ((span.to - span.from) / 1000).toFixed(2)).padStart(COLUMN)).join("");
		return line(name.slice(0, nameWidth).padEnd(nameWidth), bar(spans, start, end, barWidth), figures);
	});
	const scale = `${((end - start) / 1000).toFixed(1)} s`.padEnd(barWidth);
	const legend = STAGES.map(({ name, mark }) => `${mark} ${name}`).join("  ");
	return [line("job".padEnd(nameWidth), scale, HEADS), ...lines, hasFigures ? `seconds in each stage; ${legend}` : legend];
}
