// What an error of EC2 means for a launch, by its code (FACTS 4.1, 4.2; EC2 API Reference: error codes). Pure.
import type { LaterClass } from "../contract/settle.ts";

/** `refused`: the request itself is wrong and stays so. */
export type FailureClass = Exclude<LaterClass, "budget"> | "refused";

const CODES: Record<Exclude<FailureClass, "unknown">, string[]> = {
	capacity: [
		"InsufficientInstanceCapacity",
		"InsufficientCapacity",
		"InsufficientCapacityOnHost",
		"InsufficientHostCapacity",
		"InsufficientReservedInstanceCapacity",
		"InsufficientFreeAddressesInSubnet",
		"UnfulfillableCapacity",
		"SpotMaxPriceTooLow",
	],
	throttled: [
		"RequestLimitExceeded",
		"Throttling",
		"ThrottlingException",
		"RequestThrottled",
		"Unavailable",
		"ServiceUnavailable",
		"InternalError",
		"InternalFailure",
		"ServerInternal",
	],
	quota: [
		"VcpuLimitExceeded",
		"MaxSpotInstanceCountExceeded",
		"InstanceLimitExceeded",
		"MaxSpotFleetRequestCountExceeded",
		"TargetCapacityLimitExceededException",
		"ResourceLimitExceeded",
		"ResourceCountLimitExceeded",
	],
	refused: [
		"InvalidFleetConfig",
		"InvalidFleetConfiguration",
		"InvalidParameter",
		"InvalidParameterValue",
		"InvalidParameterCombination",
		"MissingParameter",
		"Unsupported",
		"UnsupportedOperation",
		"InvalidAMIID.NotFound",
		"InvalidAMIID.Malformed",
		"InvalidBlockDeviceMapping",
		"InvalidSubnetID.NotFound",
		"InvalidLaunchTemplateId.NotFound",
		"InvalidLaunchTemplateId.VersionNotFound",
		"InvalidLaunchTemplateId.Malformed",
	],
};

export function classOfCode(code: string): FailureClass {
	const found = Object.entries(CODES).find(([, codes]) => codes.includes(code));
	return found ? (found[0] as FailureClass) : "unknown";
}

/** Most telling first: what could still bring a machine later outweighs pools that never can. */
const ORDER: FailureClass[] = ["capacity", "throttled", "quota", "unknown", "refused"];

export interface Failure {
	class: FailureClass;
	reason: string;
}

/** The one class and sentence for a fleet that got less than it asked for. */
export function failureOf(errors: readonly { code: string; message: string }[]): Failure {
	const ranked = errors.toSorted((one, other) => ORDER.indexOf(classOfCode(one.code)) - ORDER.indexOf(classOfCode(other.code)));
	const [worst] = ranked;
	if (!worst) return { class: "capacity", reason: "EC2 gave fewer machines than asked for and no reason" };
	const pools = errors.length > 1 ? ` (and ${errors.length - 1} other pools)` : "";
	return { class: classOfCode(worst.code), reason: `EC2: ${worst.code}: ${worst.message}${pools}`.slice(0, 500) };
}

/** What a call that failed as a whole means. Not answered: EC2 may have done it, and whoever asks under the same token is told. */
export function failureOfCall(error: { code: string; status: number | null; message: string }): Failure & { isAnswered: boolean } {
	const { code, status, message: reason } = error;
	// Nobody was reached: that passes, whatever the client calls it.
	if (status === null) return { class: "throttled", reason, isAnswered: false };
	const known = classOfCode(code);
	const saysNothing = /^(Server)?Internal/.test(code) || (status >= 500 && known === "unknown");
	return { class: known, reason, isAnswered: !saysNothing };
}

const SHORTEST_MS: Record<FailureClass, number> = { capacity: 5_000, throttled: 5_000, quota: 30_000, unknown: 30_000, refused: 0 };
const LONGEST_MS = 5 * 60_000;

/** Moments to try again at lie this far apart at least, or a quarter of the pause. */
const GRID_MS = 2_500;

/**
 * When to try a launch again: after a quarter of the time that the job has waited, so that a long shortage is asked about ever less often,
 * and at a moment that others who wait come to as well: together they are one call instead of one each.
 */
export function retryLaunchAt(failure: FailureClass, queuedAt: number, now: number): number {
	const pause = Math.min(LONGEST_MS, Math.max(SHORTEST_MS[failure], (now - queuedAt) / 4));
	if (pause === 0) return now;
	const grid = GRID_MS * 2 ** Math.max(0, Math.floor(Math.log2(pause / (4 * GRID_MS))));
	return Math.ceil((now + pause) / grid) * grid;
}
