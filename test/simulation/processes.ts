// Days spread over processes: each takes the next seed when it is done with one, and they are told in the order of their seeds.
import { join } from "node:path";
import type { Asked, Day } from "./day.ts";

export interface Days extends Omit<Asked, "seed"> {
	from: number;
	seeds: number;
	/** How many processes. */
	jobs: number;
}

/** Simulates days; `told` hears of each in the order of the seeds, however many processes there are. `stop` ends the processes at once. */
export function simulateDays({ from, seeds, jobs, ...how }: Days, told: (day: Day) => void): { done: Promise<void>; stop(): void } {
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	const early = new Map<number, Day>();
	let [next, heard] = [from, from];
	const end = from + seeds;

	function hear(day: Day): void {
		early.set(day.seed, day);
		for (let first = early.get(heard); first; first = early.get(heard)) {
			early.delete(heard++);
			told(first);
		}
		if (heard === end) resolve();
	}
	const processes = Array.from({ length: Math.min(jobs, seeds) }, () => {
		let seed = from;
		const ask = (child: { send(asked: Asked): void }) => {
			if (next === end) return;
			seed = next++;
			child.send({ seed, ...how });
		};
		const child = Bun.spawn([process.execPath, join(import.meta.dir, "day.ts")], {
			stdio: ["ignore", "inherit", "inherit"],
			ipc(day: Day, from) {
				ask(from);
				hear(day);
			},
			onExit: (_, status, signal) => reject(new Error(`the process that simulated seed ${seed} ended: ${signal ?? status}`)),
		});
		ask(child);
		return child;
	});
	if (seeds === 0) resolve();
	const stop = () => {
		for (const child of processes) child.kill("SIGKILL");
	};
	return { done: promise.finally(stop), stop };
}
