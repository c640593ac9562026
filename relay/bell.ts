// Wakes long polls when something was written. Holds timers, decides nothing.
import type { Timer } from "./timer.ts";

export interface Bell {
	ring(): void;
	/** Resolves true at the next ring, false after this many milliseconds. */
	heard(milliseconds: number): Promise<boolean>;
}

export function createBell(timer: Timer): Bell {
	const waiting = new Set<() => void>();
	return {
		ring() {
			for (const wake of [...waiting]) wake();
		},
		heard(milliseconds) {
			return new Promise((resolve) => {
				const end = (isRung: boolean) => {
					waiting.delete(wake);
					takeBack();
					resolve(isRung);
				};
				const wake = () => end(true);
				const takeBack = timer(milliseconds, () => end(false));
				waiting.add(wake);
			});
		},
	};
}
