// How often one caller may call, by Cloudflare's rate limit bindings. They count for each location and forgive some, so they keep a
// flood away and are no lock (FACTS 5.5); a delivery whose signature holds is never counted.

export interface RateLimit {
	limit(options: { key: string }): Promise<{ success: boolean }>;
}

/** One binding of wrangler.toml each; null where it is not bound. */
export interface RateLimits {
	/** Calls without a valid credential, by the address they come from. */
	refused: RateLimit | null;
	/** Calls with a valid one, by whose it is. */
	callers: RateLimit | null;
	/** Reports, by instance. */
	machines: RateLimit | null;
}

/** The period of every limit, in seconds: who is told to come back later does so after it. */
export const PERIOD_SECONDS = 60;

function isLimit(binding: unknown): binding is RateLimit {
	return typeof (binding as RateLimit | undefined)?.limit === "function";
}

/** Reads the bindings from the Worker's environment. */
export function readRateLimits(env: Record<string, unknown>): RateLimits {
	const bound = (name: string) => {
		const binding = env[name];
		return isLimit(binding) ? binding : null;
	};
	return { refused: bound("REFUSED_LIMIT"), callers: bound("CALLER_LIMIT"), machines: bound("MACHINE_LIMIT") };
}

/** Counts a call; false if the caller has made too many. Whom nobody can name, or nobody counts, may call. */
export async function mayCall(limit: RateLimit | null, key: string | undefined): Promise<boolean> {
	if (!limit || !key) return true;
	// A counter that fails must not close the door on those who have a key to it.
	return limit.limit({ key }).then(
		({ success }) => success,
		() => true,
	);
}
