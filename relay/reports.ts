// What a machine says of itself: timings, and a hint when to look again. A job with sudo can forge it, so it decides nothing. Pure.
import type { Report } from "../contract/report.ts";
import { type Clocks, nextCheck } from "./clocks.ts";
import type { Job, Seat } from "./job.ts";
import type { Claim } from "./swaps.ts";

const STAGE_OF = {
	claimed: "claimedAt",
	listening: "listeningAt",
	running: "runningAt",
	finished: "finishedAt",
	off: "offAt",
} as const;

function noted(seat: Seat, report: Report, now: number): Seat {
	const { phase } = report;
	const next: Seat = {
		...seat,
		reported: Math.max(seat.reported, report.sequence),
		interrupted: seat.interrupted || phase === "interrupted",
		denied: seat.denied || phase === "denied",
	};
	if (!(phase in STAGE_OF)) return next;
	const stage = STAGE_OF[phase as keyof typeof STAGE_OF];
	// A machine's clock may run ahead; what it says happened has happened by now.
	return { ...next, [stage]: seat[stage] ?? Math.min(report.at, now) };
}

/** The next check that a report suggests. Signs of life push it out, bounded by the time since the state began; signs of an end pull it in. */
function suggested(job: Job, report: Report, now: number, clocks: Clocks): number | null {
	const { dueAt } = job;
	if (dueAt === null || job.lease !== null) return dueAt;
	switch (report.phase) {
		case "listening":
			return Math.max(dueAt, Math.min(now + clocks.checkAfter, job.since + clocks.running));
		case "running":
			return Math.max(dueAt, Math.min(nextCheck("running", now, clocks) ?? dueAt, job.since + clocks.hardLimit));
		case "off":
		case "interrupted":
		case "idle":
		case "denied":
		case "deprecated":
			return Math.min(dueAt, now + clocks.goneCheckAfter);
		default:
			return dueAt;
	}
}

/** Applies a report to the job seated on the machine. A late copy still fills a gap in the timings and does nothing else. */
export function hearReport(job: Job, report: Report, now: number, clocks: Clocks): Job {
	if (!job.seat) return job;
	const isLate = report.sequence <= job.seat.reported;
	const dueAt = isLate ? job.dueAt : suggested(job, report, now, clocks);
	return { ...job, seat: noted(job.seat, report, now), dueAt };
}

/**
 * A machine that speaks before its launch was settled: its timings are noted for whoever waits for that launch. The job it names is its
 * own word, so nothing else follows from it.
 */
export function hearEarly(claim: Claim, report: Report, now: number): Job | null {
	if (!(report.phase in STAGE_OF)) return null;
	const { seated, kept } = claim;
	if (seated?.seat) return { ...seated, seat: noted(seated.seat, report, now) };
	return kept?.spare ? { ...kept, spare: noted(kept.spare, report, now) } : null;
}
