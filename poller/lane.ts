// Lets calls wait for their turn, so that no window of time sees more of them than one session may make.
import type { Still } from "./ports.ts";

export interface PaceOptions {
	now(): number;
	sleep(ms: number): Promise<void>;
	/** Epoch ms. */
	begunAt: number;
	endsAt: number;
}

/** Another session may be at work at the beginning of this one, and is at its end (docs/decisions/0002). */
export const SHARED_MS = 105_000;

/** Whether another session may have made calls in the window that ends now, or may make some. Pure. */
export function isShared(now: number, { begunAt, endsAt }: Pick<PaceOptions, "begunAt" | "endsAt">, windowMs: number): boolean {
	return now - begunAt < SHARED_MS + windowMs || endsAt - now < SHARED_MS;
}

/** Whatever has passed by its turn, a call is still to be made. */
export const ALWAYS: Still = async () => true;

/** Lets calls through as there is room for them in the window that ends now, in the order in which they are asked for. */
export function createLane({ now, sleep }: PaceOptions, windowMs: number, allowance: () => number): (cost: number) => Promise<void> {
	const spent: { at: number; cost: number }[] = [];
	let turn = Promise.resolve();
	let sum = 0;
	async function waitForRoom(cost: number): Promise<void> {
		for (;;) {
			while ((spent[0]?.at ?? Number.POSITIVE_INFINITY) <= now() - windowMs) sum -= spent.shift()?.cost ?? 0;
			if (spent.length === 0 || sum + cost <= allowance()) break;
			await sleep((spent[0]?.at ?? 0) + windowMs - now());
		}
		spent.push({ at: now(), cost });
		sum += cost;
	}
	return (cost) => {
		turn = turn.then(() => waitForRoom(cost));
		return turn;
	};
}
