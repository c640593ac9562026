// Calls back after some time: the runtime's own timers, or those of a clock that a test sets.

/** Calls back once after so many milliseconds; what it gives takes the call back. */
export type Timer = (milliseconds: number, call: () => void) => () => void;

/** Timers hold at most 2^31-1 ms. */
const LONGEST = 2 ** 31 - 1;

export const startTimer: Timer = (milliseconds, call) => {
	const timer = setTimeout(call, Math.min(Math.max(0, milliseconds), LONGEST));
	return () => clearTimeout(timer);
};
