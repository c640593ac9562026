// What the machine of a job cost. Pure: an estimate from the price that the poller named and the seconds that EC2 bills.
import type { Cost, Machine, Timings } from "../contract/job.ts";

/** EC2 bills Linux by the second, a minute at least (aws.amazon.com/ec2/pricing/on-demand). */
const LEAST_SECONDS = 60;
const MICRO = 1_000_000;

/** From the launch to the machine's own word that it goes off, or to the job's end as long as that word is missing. Null while neither is known, or no price. */
export function costOf(machine: Machine | null, { launchedAt, finishedAt, offAt }: Timings): Cost | null {
	const endedAt = offAt ?? finishedAt;
	const price = machine?.usdPerHour ?? null;
	if (price === null || launchedAt === null || endedAt === null) return null;
	const seconds = Math.max(LEAST_SECONDS, Math.ceil((endedAt - launchedAt) / 1000));
	return { usd: Math.round(((price * seconds) / 3600) * MICRO) / MICRO, seconds };
}
