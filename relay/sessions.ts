// Which session of the poller serves: one at a time, without a gap (docs/decisions/0002). Pure.
import type { LeaseRequest } from "../contract/lease.ts";
import type { Clocks } from "./clocks.ts";

/** The session that serves, as of its last lease. */
export interface Serving {
	session: string;
	endsAt: number;
	leasedAt: number;
}

/**
 * Who serves after this request, and whether the asking session is superseded. A session that names no end neither takes the place nor
 * is turned away.
 */
export function admit(
	serving: Serving | null,
	request: Pick<LeaseRequest, "session" | "endsAt">,
	now: number,
	clocks: Clocks,
): { serving: Serving | null; superseded: boolean } {
	const { session, endsAt } = request;
	if (endsAt === undefined) return { serving, superseded: false };
	const asking: Serving = { session, endsAt, leasedAt: now };
	if (!serving || serving.session === session) return { serving: asking, superseded: false };
	const isLive = now - serving.leasedAt <= clocks.seatIdle && serving.endsAt - now > clocks.seatEnding;
	return isLive ? { serving, superseded: true } : { serving: asking, superseded: false };
}
