// What this machine's archive has of packages: the newest of its versions. Touches apt.
import { ImageProblem } from "../problem.ts";
import type { BaseName } from "../versions.ts";

/** As the archives' Release files call themselves. */
const ORIGINS: Record<BaseName, string> = { debian: "Debian", ubuntu: "Ubuntu" };

/** The lines by which `apt-cache policy` names the sources of an origin, of its output without packages. Pure. */
export function sourcesOfOrigin(text: string, origin: string): Set<string> {
	const found = new Set<string>();
	let source = "";
	for (const line of text.split("\n")) {
		source = /^ *-?\d+ (\S.*)$/.exec(line)?.[1] ?? source;
		const release = /^ +release (.*)$/.exec(line)?.[1];
		if (release?.split(",").includes(`o=${origin}`)) found.add(source);
	}
	return found;
}

/**
 * Versions by name from the output of `apt-cache policy` for packages: of those that `sources` have the one of the highest priority, and the newest
 * among equals, which apt names first. Not its candidate, which may be one that is installed and that no source has any more. Pure.
 */
export function readPolicy(text: string, sources: ReadonlySet<string>): Record<string, string> {
	const found: Record<string, string> = {};
	let name = "";
	let version = "";
	let highest = Number.NEGATIVE_INFINITY;
	for (const line of text.split("\n")) {
		const head = /^(\S+):$/.exec(line)?.[1];
		if (head !== undefined) [name, highest] = [head, Number.NEGATIVE_INFINITY];
		version = /^ (?:\*{3}| {3}) (\S+) -?\d+\b/.exec(line)?.[1] ?? version;
		const [, priority, source = ""] = /^ {5,}(-?\d+) (\S+ .*)$/.exec(line) ?? [];
		if (priority === undefined || !sources.has(source) || Number(priority) <= highest) continue;
		highest = Number(priority);
		found[name] = version;
	}
	return found;
}

async function policy(...names: string[]): Promise<string> {
	const child = Bun.spawn(["apt-cache", "policy", ...names], {
		env: { PATH: process.env.PATH ?? "", LC_ALL: "C" },
		stdout: "pipe",
		stderr: "pipe",
	});
	const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
	if (code !== 0) throw new ImageProblem("packages", `apt-cache ended with ${code}: ${err.trim()}`);
	return out;
}

/** Asks apt, whose lists must be fresh and of the base that is compared. */
export async function candidatesOf(base: BaseName, names: string[]): Promise<Record<string, string>> {
	if (Bun.which("apt-cache") === null) throw new ImageProblem("packages", "apt-cache is not here: compare on a machine of the base");
	const [sources, versions] = await Promise.all([policy(), policy(...names)]);
	const found = readPolicy(versions, sourcesOfOrigin(sources, ORIGINS[base]));
	const missing = names.filter((name) => found[name] === undefined);
	if (missing.length > 0)
		throw new ImageProblem("packages", `apt knows no ${missing.join(", ")}: run apt-get update, on a machine of the base`);
	return found;
}

/** The base that this machine is of, by its /etc/os-release. Pure. */
export function baseOf(osRelease: string): { name: string; suite: string } {
	const of = (key: string) => new RegExp(`^${key}="?([^"\n]*)"?$`, "m").exec(osRelease)?.[1] ?? "";
	return { name: of("ID"), suite: of("VERSION_CODENAME") };
}
