// GitHub counts 900 points a minute for the App, whichever session spends them.
import { describe, expect, test } from "bun:test";
import { SHARED_MS } from "../../poller/lane.ts";
import { paced, pointsAt, redeliveriesAt, registrationsAt } from "../../poller/points.ts";
import type { GitHub, Room } from "../../poller/ports.ts";
import { handClock } from "../local/github-client.ts";

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

	test("webhooks that are sent again leave four fifths of what is not for registrations", () => {
		for (let now = 0; now <= LIFE_MS; now += 1000) {
			const life = { begunAt: 0, endsAt: LIFE_MS };
			expect(redeliveriesAt(now, life)).toBeGreaterThanOrEqual(5);
			expect(CHANGE * redeliveriesAt(now, life)).toBeLessThanOrEqual(pointsAt(now, life) / 5);
		}
	});

	const AT = { repository: "octo-org/octo-repo", installationId: 7 };
	test.each<[name: string, list: (github: GitHub) => Promise<unknown>]>([
		["attemptJobs", (github) => github.attemptJobs(AT, 1, 1)],
		["runners", (github) => github.runners({ ...AT, endpoint: "org" })],
		["deliveriesSince", (github) => github.deliveriesSince(0)],
	])("every page of a list takes one, when it is asked for: %s", async (name, list) => {
		const clock = handClock(0);
		const asked: number[] = [];
		const ten = async (...values: unknown[]) => {
			const room = values.at(-1) as Room;
			for (let page = 1; page <= 10; page++) {
				if (page > 1) await room();
				asked.push(clock());
			}
		};
		const sleep = async (ms: number) => clock.pass(ms);
		const github = paced({ [name]: ten } as unknown as GitHub, { now: clock, sleep, begunAt: -LIFE_MS, endsAt: LIFE_MS });
		for (let lists = 0; lists < 26; lists++) await list(github);
		expect(asked).toEqual([...Array<number>(250).fill(0), ...Array<number>(10).fill(60_000)]);
	});

	test("a burst of a hundred jobs is registered at once, also by a session that has just begun", () => {
		for (const begunAt of [-1000, -SHARED_MS, -LIFE_MS / 2])
			expect(registrationsAt(0, { begunAt, endsAt: begunAt + LIFE_MS })).toBeGreaterThanOrEqual(100);
	});
});
