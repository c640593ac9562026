// Where packages come from: what this machine's own apt is set up with, or the mirror that was given.
import { ImageProblem } from "../problem.ts";
import type { Base } from "../versions.ts";
import { run, type Workshop } from "./command.ts";

export interface Sources {
	/** debootstrap's. */
	mirror: string;
	/** Lines of sources.list. */
	lines: string[];
}

/** Reads `apt-get indextargets`: one line for each index, `uri release component`. Pure. */
export function sourcesOf(targets: string, suite: string): Sources | null {
	const found = new Map<string, Set<string>>();
	for (const line of targets.split("\n")) {
		const [uri = "", release = "", component = ""] = line.trim().split(" ");
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

/** Throws if this machine's apt knows no mirror of the suite. */
export async function findSources(base: Base, given: string | null, shop: Workshop): Promise<Sources> {
	if (given !== null) return { mirror: given, lines: [`deb ${given} ${base.suite} main`] };
	const format = ["--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"];
	const targets = await run("mirror", ["apt-get", "indextargets", ...format, "Created-By: Packages"], shop);
	const sources = sourcesOf(targets, base.suite);
	if (sources === null)
		throw new ImageProblem("mirror", `apt of this machine has no source for ${base.suite}: run apt-get update, or give --mirror URL`);
	return sources;
}
