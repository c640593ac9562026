// DescribeSpotPriceHistory: what spot costs in each zone of the account (EC2 API Reference). Prices never move here, so a history is one line. Pure.
import table from "../../poller/prices.json";
import type { Account } from "./fleet-request.ts";
import { findInstanceType } from "./instance-types.ts";
import { integerAt, type Node, textAt, textsAt } from "./parameters.ts";
import { Ec2Refusal, invalid } from "./refusal.ts";
import type { XmlValue } from "./xml.ts";

export const SPOT_PRICE_PARAMETERS = ["InstanceType.#", "ProductDescription.#", "StartTime", "EndTime", "MaxResults", "NextToken"];

const LIST: Record<string, number> = table.usdPerHour;
/** Spot over on-demand, about what it is for common types. */
const SHARE = 0.4;
const PRODUCT = "Linux/UNIX";

/** When the price began, at the latest; EC2 keeps 90 days. */
function readTime(call: Node, name: string, now: number): number {
	const text = textAt(call, name);
	const time = text === null ? now : Date.parse(text);
	if (Number.isNaN(time)) throw invalid(`Value (${text}) for parameter ${name} is invalid.`);
	return time;
}

function afterToken(token: string | null): number {
	if (token === null) return 0;
	const match = /^from-(\d+)$/.exec(Buffer.from(token, "base64url").toString());
	if (!match) throw new Ec2Refusal("InvalidNextToken", "The token is not valid");
	return Number(match[1]);
}

/** The page that a call asks for. A type that EC2 does not know refuses the call; one without a price here has no history. */
export function spotPriceElement(call: Node, { subnets }: Account, now: number): XmlValue & object {
	const types = [...new Set(textsAt(call, "InstanceType"))];
	const unknown = types.find((type) => !findInstanceType(type));
	if (unknown !== undefined) throw invalid(`Invalid value '${unknown}' for instanceType.`);
	const most = integerAt(call, "MaxResults") ?? 1000;
	if (most < 1 || most > 1000) throw invalid(`Value ( ${most} ) for parameter maxResults is invalid. Expecting a value from 1 to 1000.`);
	const [start, end] = [readTime(call, "StartTime", now), readTime(call, "EndTime", now)];
	if (start > end) throw invalid("The start time must be before the end time.");
	const products = textsAt(call, "ProductDescription");
	const isAsked = products.length === 0 || products.includes(PRODUCT);
	const zones = [...new Set(subnets.map(({ zone }) => zone))];
	const priced = (types.length > 0 ? types : Object.keys(LIST)).filter((type) => isAsked && LIST[type] !== undefined);
	const all = priced.flatMap((type) => zones.map((zone) => ({ type, zone })));
	const from = afterToken(textAt(call, "NextToken"));
	const page = all.slice(from, from + most).map(({ type, zone }) => ({
		...{ instanceType: type, productDescription: PRODUCT, spotPrice: ((LIST[type] ?? 0) * SHARE).toFixed(6) },
		...{ timestamp: new Date(start), availabilityZone: zone },
	}));
	const isLast = from + most >= all.length;
	return { spotPriceHistorySet: page, nextToken: isLast ? "" : Buffer.from(`from-${from + most}`).toString("base64url") };
}
