// `bun run image pins`: compares ami/versions.json with the newest runner and the archive's packages, and takes newer ones in where it is told to.
import { readFile, writeFile } from "node:fs/promises";
import { ImageProblem } from "../problem.ts";
import { type BaseName, readVersions } from "../versions.ts";
import { baseOf, candidatesOf } from "./candidates.ts";
import { compared, report } from "./newer.ts";
import { newestRunner } from "./runner-release.ts";

export interface PinsOptions {
	base: BaseName;
	versions: string;
	write: boolean;
	json: boolean;
}

/** Nothing newer; newer parts; could not be compared. */
export const PINS_EXIT = { newest: 0, newer: 1, failed: 3 } as const;

/** Gives the exit status. `environment`: GITHUB_API_URL, GITHUB_TOKEN. */
export async function comparePins(
	{ base, versions: file, write, json }: PinsOptions,
	environment: Record<string, string | undefined>,
	out: (text: string) => void,
): Promise<number> {
	const versions = await readVersions(file);
	const here = baseOf(await readFile("/etc/os-release", "utf8"));
	const of = versions.bases[base];
	if (here.name !== base || here.suite !== of.suite)
		throw new ImageProblem("packages", `this machine is of ${here.name} ${here.suite}: compare ${base} on one of ${base} ${of.suite}`);
	const [runner, candidates] = await Promise.all([
		newestRunner(environment.GITHUB_API_URL ?? "https://api.github.com", environment.GITHUB_TOKEN),
		candidatesOf(base, [...Object.keys(of.packages), ...Object.keys(of.gateway)]),
	]);
	const comparison = compared(versions, base, runner, candidates);
	if (write && comparison.newer.length > 0) await writeFile(file, `${JSON.stringify(comparison.versions, null, "\t")}\n`);
	out(json ? `${JSON.stringify({ newer: comparison.newer, runner })}\n` : report(comparison, runner));
	return comparison.newer.length > 0 ? PINS_EXIT.newer : PINS_EXIT.newest;
}
