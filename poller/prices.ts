// What machines cost, as far as it is known: list prices from the table that ships (`bun run prices`), spot prices as EC2 told them
// beside the launches of this session. An estimate for people; no decision reads it.
import { Ec2Error } from "./ec2.ts";
import type { Ec2, Instance, Log, Prices } from "./ports.ts";
import table from "./prices.json";

const LIST: Record<string, number> = table.usdPerHour;
const FACTORS: Record<string, number> = table.factors;
const MICRO = 1_000_000;

/** The list price of us-east-1, times the factor of the region. Null where either is unknown. Pure. */
export function listPrice(type: string, region: string): number | null {
	const [price, factor] = [LIST[type], FACTORS[region]];
	return price === undefined || factor === undefined ? null : Math.round(price * factor * MICRO) / MICRO;
}

/** EC2 moves spot prices a few times a day. */
const KEPT_MS = 60 * 60_000;
/** After a failure, such as a role that may not ask. */
const AGAIN_MS = 5 * 60_000;

export interface PricesOptions {
	ec2: Pick<Ec2, "spotPrices">;
	region: string;
	log: Log;
	now(): number;
}

/** Prices for one session. */
export function createPrices({ ec2, region, log, now }: PricesOptions): Prices {
	/** Until when a type need not be asked for. */
	const asked = new Map<string, number>();
	const known = new Map<string, number>();
	const keyOf = ({ type, zone }: Pick<Instance, "type" | "zone">) => `${type} ${zone}`;
	return {
		expect(types) {
			const wanted = types.filter((type) => (asked.get(type) ?? 0) <= now());
			if (wanted.length === 0) return;
			const until = (moment: number) => wanted.forEach((type) => void asked.set(type, moment));
			until(now() + KEPT_MS);
			ec2.spotPrices(wanted).then(
				// The newest comes first.
				(prices) => prices.toReversed().forEach((price) => void known.set(keyOf(price), price.usdPerHour)),
				(error: unknown) => {
					until(now() + AGAIN_MS);
					log.warn({ code: error instanceof Ec2Error ? error.code : null, error: String(error) }, "no spot prices");
				},
			);
		},
		usdPerHour: (machine) => (machine.market === "spot" ? (known.get(keyOf(machine)) ?? null) : listPrice(machine.type, region)),
	};
}
