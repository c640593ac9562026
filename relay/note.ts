// A machine's report, noted where it belongs. Runs inside one transaction.
import type { Report } from "../contract/report.ts";
import type { Clocks } from "./clocks.ts";
import { hearDeprecated } from "./deprecated.ts";
import { switchesOf } from "./hand-out.ts";
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
	if (report.phase === "deprecated") noteDeprecated(queue, report, seated);
	const heard = hearReport(seated, report, now, clocks);
	const start = report.phase === "running" ? startOf(heard, report.measurements, now) : null;
	const noted = start ? { ...heard, told: true } : heard;
	const isNews = wasInterrupted(heard) && !wasInterrupted(seated);
	write(queue, { ...movesOf(noted), interrupted: isNews ? [noted] : [], started: start ? [start] : [] }, now);
}

/** Pauses launching once machines agree. The operator's word turns it on again. */
function noteDeprecated(queue: Queue, { instanceId, reason }: Report, { state }: Job): void {
	const next = hearDeprecated(queue.setting("deprecation"), instanceId, state, reason);
	if (next) queue.saveSetting("deprecation", next);
	if (next?.reason) queue.saveSetting("switches", { ...switchesOf(queue), pause: true });
}

function noteEarly(queue: Queue, report: Report, kept: Job | null, now: number): void {
	const early = hearEarly(kept ? { seated: null, kept } : queue.claim(launchKey(report.jobId)), report, now);
	if (early) queue.saveJob(early);
}
