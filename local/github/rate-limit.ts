// GitHub's two limits (FACTS 2.8): requests an hour, and points a minute (GET 1, anything that writes 5). Holds the counts.
import { type Answer, refusal } from "./answer.ts";

export interface RateLimits {
	/** Requests an hour, per installation. */
	perHour: number;
	/** Points a minute, per installation: the secondary limit. */
	pointsPerMinute: number;
}

export const GITHUB_LIMITS: RateLimits = { perHour: 5000, pointsPerMinute: 900 };

interface Counts {
	hourEnds: number;
	used: number;
	minuteEnds: number;
	points: number;
}

export interface RateLimiter {
	/** Counts one request of `who`; a refusal when it was one too many. */
	take(who: string, method: string): Answer | null;
	headers(who: string): Record<string, string>;
	/** Gives one request back: a 304 is free. */
	giveBack(who: string): void;
}

export function createRateLimiter(limits: RateLimits, now: () => number): RateLimiter {
	const all = new Map<string, Counts>();
	function countsOf(who: string): Counts {
		const at = now();
		const counts = all.get(who) ?? { hourEnds: 0, used: 0, minuteEnds: 0, points: 0 };
		if (counts.hourEnds <= at) Object.assign(counts, { hourEnds: at + 3_600_000, used: 0 });
		if (counts.minuteEnds <= at) Object.assign(counts, { minuteEnds: at + 60_000, points: 0 });
		all.set(who, counts);
		return counts;
	}
	return {
		take(who, method) {
			const counts = countsOf(who);
			if (counts.used >= limits.perHour) return refusal(403, `API rate limit exceeded for ${who}.`);
			const points = method === "GET" ? 1 : 5;
			if (counts.points + points > limits.pointsPerMinute)
				return refusal(403, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.", {
					"retry-after": String(Math.max(1, Math.ceil((counts.minuteEnds - now()) / 1000))),
				});
			counts.used += 1;
			counts.points += points;
			return null;
		},
		headers(who) {
			const counts = countsOf(who);
			return {
				"x-ratelimit-limit": String(limits.perHour),
				"x-ratelimit-remaining": String(Math.max(0, limits.perHour - counts.used)),
				"x-ratelimit-used": String(counts.used),
				"x-ratelimit-reset": String(Math.ceil(counts.hourEnds / 1000)),
				"x-ratelimit-resource": "core",
			};
		},
		giveBack(who) {
			countsOf(who).used -= 1;
		},
	};
}
