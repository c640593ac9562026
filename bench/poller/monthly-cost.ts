// What a function that always runs costs in a month. Pure.
import table from "../../build/cost-prices.json";

const SECONDS = 730 * 3600;
/** The schedule starts one each minute; those that find another one serving end at once. */
const REQUESTS = SECONDS / 60;

/** US dollars for a month of a function of so many MB, without the free tier (400,000 GB-seconds, 5.33 USD). */
export function monthlyCost(memoryMb: number): number {
	const { gbSecond, request } = table.prices;
	return (memoryMb / 1024) * SECONDS * gbSecond.usd + REQUESTS * request.usd;
}
