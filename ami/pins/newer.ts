// What is newer than the pins of ami/versions.json, and the pins that would take it. Pure.
import type { BaseName, Versions } from "../versions.ts";
import type { RunnerRelease } from "./runner-release.ts";

export interface Newer {
	/** `runner`, or a package. */
	part: string;
	pinned: string;
	newest: string;
}

export interface Comparison {
	newer: Newer[];
	/** With all of `newer` taken in. */
	versions: Versions;
}

const isMatch = (pattern: string, version: string) =>
	pattern.endsWith("*") ? version.startsWith(pattern.slice(0, -1)) : version === pattern;

/** A pin as narrow as the one before: of `2.6.12*` and 2.8.5-1ubuntu3 it is `2.8.5*`, of `7.88.*` and 8.5.0-2 it is `8.5.*`. */
export function repinned(pattern: string, version: string): string {
	if (!pattern.endsWith("*")) return version;
	const [, prefix = ""] = /^(?:\d+:)?(.*?)\*$/.exec(pattern) ?? [];
	const [, epoch = "", upstream = ""] = /^(\d+:)?(.*)$/.exec(version) ?? [];
	const wanted = prefix.split(".").filter((part) => part !== "").length;
	const kept = upstream.split(/[-+~]/)[0]?.split(".").slice(0, wanted).join(".") ?? "";
	return `${epoch}${kept}${prefix.endsWith(".") ? "." : ""}*`;
}

const numbers = (version: string) => version.split(".").map(Number);
/** Whether a runner's version is after another: three numbers. */
export function isAfter(version: string, other: string): boolean {
	const [one, two] = [numbers(version), numbers(other)];
	const at = one.findIndex((number, index) => number !== two[index]);
	return at >= 0 && (one[at] ?? 0) > (two[at] ?? 0);
}

/** Compares. `candidates`: what the archive has of each package; one that it has not is a problem for the build, not for this. */
export function compared(versions: Versions, base: BaseName, runner: RunnerRelease, candidates: Record<string, string>): Comparison {
	const newer: Newer[] = [];
	const take = (packages: Record<string, string>) =>
		Object.fromEntries(
			Object.entries(packages).map(([name, pattern]) => {
				const newest = candidates[name];
				if (newest === undefined || isMatch(pattern, newest)) return [name, pattern];
				newer.push({ part: name, pinned: pattern, newest });
				return [name, repinned(pattern, newest)];
			}),
		);
	const of = versions.bases[base];
	const isNewRunner = isAfter(runner.version, versions.runner.version);
	if (isNewRunner) newer.push({ part: "runner", pinned: versions.runner.version, newest: runner.version });
	const taken = {
		...versions,
		runner: isNewRunner ? { version: runner.version, sha256: runner.sha256 } : versions.runner,
		bases: { ...versions.bases, [base]: { ...of, packages: take(of.packages), gateway: take(of.gateway) } },
	};
	return { newer, versions: taken };
}

/** For people, as a pull request has it. */
export function report({ newer }: Comparison, runner: RunnerRelease): string {
	if (newer.length === 0) return `All pins are the newest; the runner is ${runner.version}, released ${runner.publishedAt}.\n`;
	const rows = newer.map(({ part, pinned, newest }) => `| ${part} | ${pinned} | ${newest} |`);
	const isRunner = newer.some(({ part }) => part === "runner");
	return [
		"Newer parts for the images:",
		"",
		"| part | pinned | newest |",
		"| --- | --- | --- |",
		...rows,
		"",
		...(isRunner
			? [
					`Runner ${runner.version} was released ${runner.publishedAt}. Its checksums stand in the release's notes and are the assets' digests:`,
					"",
					...Object.entries(runner.sha256).map(([architecture, sha256]) => `- linux-${architecture}: \`${sha256}\``),
					"",
				]
			: []),
	].join("\n");
}
