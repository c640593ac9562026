// A machine's report, noted where it belongs. Runs inside one transaction.
import type { Report } from "../contract/report.ts";
import type { Clocks } from "./clocks.ts";
import type { Job } from "./job.ts";
import { wasInterrupted } from "./ledger.ts";
import { movesOf } from "./moves.ts";
import type { Queue } from "./queue.ts";
import { hearEarly, hearReport } from "./reports.ts";
import { startOf } from "./starts.ts";
import { launchKey } from "./swaps.ts";
import { write } from "./write.ts";

/** Notes a report. One of a machine that no job claims is dropped. */
export function note(queue: Queue, report: Report, now: number, clocks: Clocks): void {
	const { seated, kept } = queue.claim(report.instanceId);
	if (!seated) {
		noteEarly(queue, report, kept, now);
		return;
	}
	const heard = hearReport(seated, report, now, clocks);
	const start = report.phase === "running" ? startOf(heard, report.measurements, now) : null;
	const noted = start ? { ...heard, told: true } : heard;
	const isNews = wasInterrupted(heard) && !wasInterrupted(seated);
	write(queue, { ...movesOf(noted), interrupted: isNews ? [noted] : [], started: start ? [start] : [] }, now);
}

function noteEarly(queue: Queue, report: Report, kept: Job | null, now: number): void {
	const early = hearEarly(kept ? { seated: null, kept } : queue.claim(launchKey(report.jobId)), report, now);
	if (early) queue.saveJob(early);
}
