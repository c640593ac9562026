// Brings waiting lines to CloudWatch, over and over. What cannot be brought waits; what is refused for good is counted as lost.
import { AwsError } from "../aws/request.ts";
import type { Batches } from "./batches.ts";
import type { Logs } from "./logs.ts";

export interface Shipped {
	group: string;
	stream: string;
	batches: Batches;
}

/** CloudWatch will not take these events, however often. */
const isHopeless = (error: unknown) => error instanceof AwsError && error.status === 400 && /InvalidParameter/.test(error.message);

/** Once. Resolves to what went wrong; null: all that waited is there. */
export async function ship(logs: Logs, { group, stream, batches }: Shipped): Promise<string | null> {
	while (batches.size() > 0) {
		const events = batches.next();
		try {
			await logs.put(group, stream, events);
			batches.settle(events, true);
		} catch (error) {
			if (isHopeless(error)) batches.settle(events, false);
			return error instanceof Error ? error.message : String(error);
		}
	}
	return null;
}
