// What all models of one run share.
import type { Dice } from "../dice.ts";
import type { Clock } from "./clock.ts";
import type { Faults } from "./faults.ts";

export interface Setting {
	clock: Clock;
	dice: Dice;
	/** Replaced by none when the faults stop. */
	faults: { now: Faults };
	/** One line of the trace, with the moment. A line that costs something to write is asked for only if somebody reads it. */
	tell(who: string, what: string | (() => string)): void;
	/** Something happened that must never happen. */
	broken(what: string): void;
}

/** Waits for a call's way there or back. */
export function travel({ clock, dice }: Setting, from: number, to: number): Promise<void> {
	return clock.sleep(from + dice.below(to - from + 1));
}
