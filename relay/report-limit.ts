// How many reports of each machine are taken: each is a row written, and a job can forge as many as it likes.
import { type Bucket, fullBucket, refilled, spent } from "./budgets.ts";
import { RATES } from "./clocks.ts";

/** Machines whose reports are counted at once; beyond that counting starts anew. */
const COUNTED_MACHINES = 10_000;

/** Whether one more report of a machine is taken at a moment (epoch ms). */
export function createReportLimit(): (instanceId: string, now: number) => boolean {
	const buckets = new Map<string, Bucket>();
	return (instanceId, now) => {
		if (buckets.size >= COUNTED_MACHINES) buckets.clear();
		const bucket = refilled(buckets.get(instanceId) ?? fullBucket(RATES.reports, now), RATES.reports, now);
		buckets.set(instanceId, spent(bucket, 1));
		return bucket.tokens >= 1;
	};
}
