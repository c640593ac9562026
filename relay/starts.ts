// What is remembered of a job's start. Pure.
import type { Measurements } from "../contract/report.ts";
import type { Start } from "../contract/start.ts";
import { isMachine, type Job } from "./job.ts";

/** The start of a job on a machine of ours, or null when there is none or it was recorded before. */
export function startOf(job: Job, measurements: Measurements, now: number): Start | null {
	const { pointer, seat, receivedAt } = job;
	if (job.told || !isMachine(seat)) return null;
	const at = job.startedAt ?? seat.runningAt ?? now;
	return {
		...{ at, jobId: pointer.id, org: pointer.owner, repository: pointer.repository },
		...{ queueMs: Math.max(0, at - receivedAt), instanceId: seat.key },
		...{ instanceType: seat.machine?.type ?? null, zone: seat.machine?.zone ?? null, market: seat.machine?.market ?? null },
		measurements,
	};
}
