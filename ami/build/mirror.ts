// Where packages come from: what this machine's own apt is set up with, or the mirror that was given. Always with the suite's security fixes.
import { readFile } from "node:fs/promises";
import { ImageProblem } from "../problem.ts";
import type { Base, BaseName } from "../versions.ts";
import { run, type Workshop } from "./command.ts";

export interface Sources {
	/** debootstrap's. */
	mirror: string;
	/** Lines of sources.list. */
	lines: string[];
}

/** What is taken of an archive that was given: packages of versions.json lie there, such as Ubuntu's docker.io in universe. */
const COMPONENTS: Record<BaseName, string> = { debian: "main", ubuntu: "main universe" };
/** As an archive's index names itself: what others offer for the same suite is not the distribution's. */
const ORIGINS: Record<BaseName, string> = { debian: "Debian", ubuntu: "Ubuntu" };
const LIST = "mirror+file:";

/** Reads `apt-get indextargets`: one line for each index, `uri release component origin`. Pure. */
export function sourcesOf(targets: string, name: BaseName, suite: string): Sources | null {
	const found = new Map<string, Set<string>>();
	for (const line of targets.split("\n")) {
		const [uri = "", release = "", component = "", ...origin] = line.trim().split(" ");
		if (origin.join(" ") !== ORIGINS[name]) continue;
		// The suite itself, its updates and its security fixes.
		if (release !== suite && !new RegExp(`^${suite}[-/](updates|security)$`).test(release)) continue;
		const key = `${uri} ${release}`;
		found.set(key, (found.get(key) ?? new Set()).add(component));
	}
	const [mirror] = [...found.keys()].filter((key) => key.endsWith(` ${suite}`));
	if (mirror === undefined) return null;
	return {
		mirror: mirror.split(" ")[0] ?? "",
		lines: [...found].map(([key, components]) => `deb ${key} ${[...components].join(" ")}`),
	};
}

/** Sources of an archive that was given. Debian's fixes lie beside it: `/debian` in its address becomes `/debian-security`. Pure. */
export function sourcesAt(mirror: string, name: BaseName, suite: string): Sources {
	const security = name === "debian" ? mirror.replace(/\/debian(?=\/|$)/, "/debian-security") : mirror;
	if (name === "debian" && security === mirror)
		throw new ImageProblem("mirror", `${mirror} has no /debian in it, by which the security fixes beside it, /debian-security, are found`);
	const from = [`${mirror} ${suite}`, `${mirror} ${suite}-updates`, `${security} ${suite}-security`];
	return { mirror, lines: from.map((source) => `deb ${source} ${COMPONENTS[name]}`) };
}

/** The first address of an apt's list of mirrors (apt-transport-mirror(1)); what is on the building machine alone, debootstrap and the root cannot read. Pure. */
export function firstMirror(list: string): string | null {
	return list.split("\n").flatMap((line) => /^\s*(https?:\S+)/.exec(line)?.[1] ?? [])[0] ?? null;
}

/** Puts addresses in place of lists of them. */
async function resolveLists(targets: string): Promise<string> {
	let resolved = targets;
	for (const uri of new Set(targets.split("\n").flatMap((line) => line.split(" ")[0] ?? []))) {
		if (!uri.startsWith(LIST)) continue;
		const file = uri.slice(LIST.length).replace(/\/$/, "");
		const first = firstMirror(
			await readFile(file, "utf8").catch((cause) => {
				throw new ImageProblem("mirror", `${file}, apt's list of mirrors, cannot be read`, { cause });
			}),
		);
		if (first === null) throw new ImageProblem("mirror", `${file}, apt's list of mirrors, names none with http or https`);
		resolved = resolved.replaceAll(`${uri} `, `${first} `);
	}
	return resolved;
}

/** Throws if this machine's apt knows no mirror of the suite. `apt`: further arguments of apt-get, for one with other settings. */
export async function findSources(
	name: BaseName,
	{ suite }: Base,
	given: string | null,
	shop: Workshop,
	apt: string[] = [],
): Promise<Sources> {
	if (given !== null) return sourcesAt(given, name, suite);
	const format = ["--format", "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)"];
	const targets = await run("mirror", ["apt-get", ...apt, "indextargets", ...format, "Created-By: Packages"], shop);
	const sources = sourcesOf(await resolveLists(targets), name, suite);
	if (sources === null)
		throw new ImageProblem("mirror", `apt of this machine has no source for ${suite}: run apt-get update, or give --mirror URL`);
	return sources;
}
