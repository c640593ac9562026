// What may be spent: token buckets (EC2's mutating calls, a machine's reports), and a count over the last minute (GitHub's JIT calls). Pure.

export interface Rate {
	size: number;
	perSecond: number;
}
/** Tokens left at a moment. */
export interface Bucket {
	tokens: number;
	at: number;
}

export function fullBucket(rate: Rate, now: number): Bucket {
	return { tokens: rate.size, at: now };
}

/** The bucket at a later moment. A clock that was set back refills nothing. */
export function refilled(bucket: Bucket, rate: Rate, now: number): Bucket {
	const seconds = Math.max(0, now - bucket.at) / 1000;
	return { tokens: Math.min(rate.size, bucket.tokens + seconds * rate.perSecond), at: now };
}

export function spent(bucket: Bucket, count: number): Bucket {
	return { ...bucket, tokens: Math.max(0, bucket.tokens - count) };
}

const MINUTE = 60_000;
/** Moments are rounded up to this, so that a busy minute is a few dozen entries. */
const STEP = 1000;

/** What was spent in the last minute: moment and count. GitHub counts so; a bucket that refills while it is emptied would let twice as much through. */
export type Minute = [at: number, count: number][];

/** What is left of a minute's allowance. */
export function leftOf(minute: Minute, allowance: number, now: number): number {
	return Math.max(0, allowance - recent(minute, now).reduce((sum, [, count]) => sum + count, 0));
}

/** The minute after more was spent. */
export function spend(minute: Minute, count: number, now: number): Minute {
	const kept = recent(minute, now);
	if (count === 0) return kept;
	const at = Math.ceil(now / STEP) * STEP;
	const same = kept.find(([moment]) => moment === at)?.[1] ?? 0;
	return [...kept.filter(([moment]) => moment !== at), [at, same + count]];
}

/** The minute after some of what was spent came back unused: the newest of it. */
export function refund(minute: Minute, count: number): Minute {
	let left = count;
	return minute
		.toReversed()
		.flatMap(([at, spent]): Minute => {
			const back = Math.min(left, spent);
			left -= back;
			return spent > back ? [[at, spent - back]] : [];
		})
		.toReversed();
}

/** The minute after one that was spent before turns out to be spent only now: it may have been granted long before. */
export function spentLater(minute: Minute, now: number): Minute {
	const [oldest, ...rest] = recent(minute, now);
	if (!oldest) return spend([], 1, now);
	const [at, count] = oldest;
	return spend(count > 1 ? [[at, count - 1], ...rest] : rest, 1, now);
}

/** When one more may be spent, in epoch milliseconds: now, or when the oldest is a minute old. */
export function oneLeftAt(minute: Minute, allowance: number, now: number): number {
	if (leftOf(minute, allowance, now) >= 1) return now;
	return Math.min(...recent(minute, now).map(([at]) => at)) + MINUTE;
}

/** A moment in the future is from before the clock was set back. */
function recent(minute: Minute, now: number): Minute {
	return minute.filter(([at]) => at > now - MINUTE && at <= now + STEP);
}
