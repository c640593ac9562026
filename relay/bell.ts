// Wakes long polls when something was written. Holds timers, decides nothing.

export interface Bell {
	ring(): void;
	/** Resolves true at the next ring, false after this many milliseconds. */
	heard(milliseconds: number): Promise<boolean>;
}

/** Timers hold at most 2^31-1 ms. */
const LONGEST = 2 ** 31 - 1;

export function createBell(): Bell {
	const waiting = new Set<() => void>();
	return {
		ring() {
			for (const wake of [...waiting]) wake();
		},
		heard(milliseconds) {
			return new Promise((resolve) => {
				const end = (isRung: boolean) => {
					waiting.delete(wake);
					clearTimeout(timer);
					resolve(isRung);
				};
				const wake = () => end(true);
				const timer = setTimeout(() => end(false), Math.min(Math.max(0, milliseconds), LONGEST));
				waiting.add(wake);
			});
		},
	};
}

export function sleep(milliseconds: number): Promise<void> {
	return new Promise((resolve) => void setTimeout(resolve, milliseconds));
}
