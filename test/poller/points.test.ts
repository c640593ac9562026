// GitHub counts 900 points a minute for the App, whichever session spends them.
import { describe, expect, test } from "bun:test";
import { SHARED_MS } from "../../poller/lane.ts";
import { pointsAt, registrationsAt } from "../../poller/points.ts";

const [CHANGE, LIMIT, LIFE_MS] = [5, 900, 15 * 60_000];

/** The most points that a session's calls take in the minute that ends now. */
function mostAt(now: number, begunAt: number): number {
	const life = { begunAt, endsAt: begunAt + LIFE_MS };
	return pointsAt(now, life) + CHANGE * registrationsAt(now, life);
}

describe("GitHub's points", () => {
	test("one session stays within them all its life", () => {
		for (let now = 0; now <= LIFE_MS; now += 1000) expect(mostAt(now, 0)).toBeLessThanOrEqual(LIMIT);
	});

	test("two sessions together do, whenever the second takes over", () => {
		// The newcomer gets the seat once the old one has less than this left (docs/decisions/0002).
		for (let takenOverAt = LIFE_MS - SHARED_MS; takenOverAt <= LIFE_MS; takenOverAt += 1000)
			for (let now = Math.max(takenOverAt, LIFE_MS - SHARED_MS + 1000); now <= LIFE_MS; now += 1000)
				expect(mostAt(now, 0) + mostAt(now, takenOverAt)).toBeLessThanOrEqual(LIMIT);
	});

	test("a burst of a hundred jobs is registered at once, also by a session that has just begun", () => {
		for (const begunAt of [-1000, -SHARED_MS, -LIFE_MS / 2])
			expect(registrationsAt(0, { begunAt, endsAt: begunAt + LIFE_MS })).toBeGreaterThanOrEqual(100);
	});
});
