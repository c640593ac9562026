// How long GitHub goes on giving jobs to a version of the runner (FACTS 1.9). Pure.
import type { ResolvedConfig } from "../contract/config.ts";

/** A release of actions/runner that anybody may install: no draft, no pre-release. */
export interface RunnerRelease {
	version: string;
	/** Epoch ms. */
	publishedAt: number;
}

/** From the first newer release on, GitHub gives a runner this many days. */
export const DAYS_GIVEN = 30;
const DAY_MS = 24 * 60 * 60_000;

/** Whether a version such as `2.337.0` is after another. */
export function isNewer(version: string, other: string): boolean {
	return version.localeCompare(other, "en", { numeric: true }) > 0;
}

/** The images that machines start from, as far as an id names them. */
export function machineImages({ images, infrastructure }: Pick<ResolvedConfig, "images" | "infrastructure">): string[] {
	const started = Object.values(images).map(({ arch, ami }) => ami ?? infrastructure.images?.[arch] ?? "");
	return [...new Set(started.filter((id) => id.startsWith("ami-")))];
}

/** The runner that the oldest of the images starts jobs with; where a release is wanted, the machine takes the newer of the two. Null: no image tells. */
export function oldestRunner(baked: readonly (string | null)[], wanted: string | null): string | null {
	const started = baked.flatMap((version) =>
		version === null || (wanted !== null && isNewer(wanted, version)) ? (wanted ?? []) : version,
	);
	if (baked.length === 0) return wanted;
	return started.toSorted((one, other) => (isNewer(one, other) ? 1 : -1))[0] ?? null;
}

/** The release that set the clock going: of those that are newer, the one that was published first. */
export function firstNewer(version: string, releases: readonly RunnerRelease[]): RunnerRelease | null {
	const newer = releases.filter((release) => isNewer(release.version, version));
	return newer.toSorted((one, other) => one.publishedAt - other.publishedAt)[0] ?? null;
}

/** Days left, in tenths and rounded down; below 0 once they are over. */
export function daysLeft(newer: RunnerRelease | null, now: number): number {
	if (newer === null) return DAYS_GIVEN;
	return Math.floor(((newer.publishedAt - now) / DAY_MS + DAYS_GIVEN) * 10) / 10;
}
