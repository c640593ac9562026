// Keeps what one session changes at EC2 within the account's bucket, by waiting: 50 changing calls at once and 5 a second after that
// (FACTS 4.1). A hundred jobs that want a hundred different machines would otherwise be throttled, each of them to a later try.
import { ALWAYS, createLane, isShared, type PaceOptions } from "./lane.ts";
import type { Ec2 } from "./ports.ts";

const WINDOW_MS = 10_000;

/** Changing calls in the ten seconds that end now: never more than the bucket holds and refills. Two sessions share them. Pure. */
export function changesAt(now: number, life: Pick<PaceOptions, "begunAt" | "endsAt">): number {
	return isShared(now, life, WINDOW_MS) ? 22 : 45;
}

/** The same calls, those that launch and end machines each made once there is room for it. Tags have a bucket of their own. */
export function pacedEc2(ec2: Ec2, options: PaceOptions): Ec2 {
	const room = createLane(options, WINDOW_MS, () => changesAt(options.now(), options));
	return {
		...ec2,
		async createFleet(request) {
			await room(1);
			return ec2.createFleet(request);
		},
		async terminate(ids, still = ALWAYS) {
			await room(1);
			return (await still()) ? ec2.terminate(ids) : "let go";
		},
	};
}
