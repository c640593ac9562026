// A machine's report, noted where it belongs. Runs inside one transaction.
import type { Report } from "../contract/report.ts";
import type { Clocks } from "./clocks.ts";
import { wasInterrupted } from "./ledger.ts";
import { movesOf } from "./moves.ts";
import type { Queue } from "./queue.ts";
import { hearEarly, hearReport } from "./reports.ts";
import { launchKey } from "./swaps.ts";
import { write } from "./write.ts";

/** Notes a report. One of a machine that no job claims is dropped. */
export function note(queue: Queue, report: Report, now: number, clocks: Clocks): void {
	const { seated, kept } = queue.claim(report.instanceId);
	if (seated) {
		const heard = hearReport(seated, report, now, clocks);
		const isNews = wasInterrupted(heard) && !wasInterrupted(seated);
		return write(queue, { ...movesOf(heard), interrupted: isNews ? [heard] : [] }, now);
	}
	const claim = kept ? { seated: null, kept } : queue.claim(launchKey(report.jobId));
	const early = hearEarly(claim, report, now);
	if (early) queue.saveJob(early);
}
