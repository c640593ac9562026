// What may be spent: token buckets (GitHub's JIT calls, EC2's mutating calls, a machine's reports). Pure.

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

/** When a bucket holds a whole token again, in epoch milliseconds. */
export function oneTokenAt(bucket: Bucket, rate: Rate): number {
	return bucket.at + Math.ceil((Math.max(0, 1 - bucket.tokens) / rate.perSecond) * 1000);
}
