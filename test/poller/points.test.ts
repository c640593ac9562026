// GitHub counts 900 points a minute for the App, whichever session spends them.
import { describe, expect, test } from "bun:test";
import { pacedEc2 } from "../../poller/ec2-pace.ts";
import { SHARED_MS } from "../../poller/lane.ts";
import { paced, pointsAt, redeliveriesAt, registrationsAt } from "../../poller/points.ts";
import type { Ec2, GitHub, Room } from "../../poller/ports.ts";
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

	test("a registration or an end whose turn comes late is made if it is still wanted then, and asked about only then", async () => {
		const clock = handClock(0);
		const sleep = async (ms: number) => clock.pass(ms);
		const life = { now: clock, sleep, begunAt: -LIFE_MS, endsAt: LIFE_MS };
		const made: number[] = [];
		const make = async () => made.push(clock());
		const github = paced({ createRunner: make } as unknown as GitHub, life);
		const ec2 = pacedEc2({ terminate: make } as unknown as Ec2, life);
		const SCOPE = { ...AT, endpoint: "org" } as const;
		const JIT = { name: "a", runner_group_id: 1, labels: ["a"], work_folder: "_work" };
		for (let made = 0; made < 110; made++) await github.createRunner(SCOPE, JIT);
		for (let ended = 0; ended < 45; ended++) await ec2.terminate(["i-0abc"]);
		made.length = 0;
		const asked: number[] = [];
		const still = (wanted: boolean) => async () => {
			asked.push(clock());
			return wanted;
		};
		expect(await ec2.terminate(["i-0abc"], still(false))).toBe("let go");
		expect(await github.createRunner(SCOPE, JIT, still(false))).toBe("let go");
		expect([made, asked]).toEqual([[], [10_000, 60_000]]);
		await github.createRunner(SCOPE, JIT, still(true));
		await ec2.terminate(["i-0abc"], still(true));
		expect(made).toEqual([60_000, 60_000]);
	});

	test("a burst of a hundred jobs is registered at once, also by a session that has just begun", () => {
		for (const begunAt of [-1000, -SHARED_MS, -LIFE_MS / 2])
			expect(registrationsAt(0, { begunAt, endsAt: begunAt + LIFE_MS })).toBeGreaterThanOrEqual(100);
	});
});
