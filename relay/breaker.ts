// Stops asking for spot machines for a while after EC2 took several of them back (DESIGN 4). On EC2's own word alone. Pure.
import { type Clocks, LIMITS } from "./clocks.ts";

export interface Breaker {
	/** When machines were taken back, lately. */
	taken: number[];
	/** Until then on-demand alone is asked for; null: it has not tripped. */
	openUntil: number | null;
}
export const CLOSED: Breaker = { taken: [], openUntil: null };

export function isOpen({ openUntil }: Breaker, now: number): boolean {
	return openUntil !== null && now < openUntil;
}

/** The breaker after one more machine was taken back. */
export function interrupted(breaker: Breaker, now: number, { breakerWindow, breakerOpen }: Clocks): Breaker {
	const taken = [...breaker.taken, now].filter((at) => at <= now && now - at < breakerWindow);
	if (taken.length < LIMITS.interruptions) return { ...breaker, taken };
	// The count begins anew, so that it takes as many again to trip it once it has closed.
	return { taken: [], openUntil: now + breakerOpen };
}
