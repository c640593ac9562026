// Chance that can be had again: a small seeded generator (mulberry32). The seed is the one of every property test (test/seed.ts).
import fc from "fast-check";

export type Dice = ReturnType<typeof createDice>;

/** The seed of this run: FC_SEED, the usual one, or for FC_SEED=random one of its own. */
export function seedOfRun(): number {
	return fc.readConfigureGlobal()?.seed ?? Date.now() % 2 ** 31;
}

export function createDice(seed: number) {
	let state = seed >>> 0;
	function next(): number {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	}
	const below = (count: number) => Math.floor(next() * count);
	return {
		below,
		chance: (share: number) => next() < share,
		/** Takes one out of a list, or nothing out of an empty one. */
		draw: <T>(from: T[]): T | undefined => from.splice(below(from.length), 1)[0],
		pick: <T>(from: readonly T[]): T | undefined => from[below(from.length)],
	};
}
