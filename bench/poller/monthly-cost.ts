// What a function that always runs costs in a month. Pure.

/** US dollars for a GB-second on arm64, us-east-1 (aws.amazon.com/lambda/pricing, first tier). */
const USD_PER_GB_SECOND = 0.000_013_333_4;
const USD_PER_REQUEST = 0.2 / 1e6;
const SECONDS = 730 * 3600;
/** The schedule starts one each minute; those that find another one serving end at once. */
const REQUESTS = SECONDS / 60;

/** US dollars for a month of a function of so many MB, without the free tier (400,000 GB-seconds, 5.33 USD). */
export function monthlyCost(memoryMb: number): number {
	return (memoryMb / 1024) * SECONDS * USD_PER_GB_SECOND + REQUESTS * USD_PER_REQUEST;
}
