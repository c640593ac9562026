// mayfly.yml as `mayfly lint` and `bun run deploy` read it: by the one parser, with what a stack knows beside the file. Pure.
import { getPublicSuffix } from "tldts";
import { parseMayflyYaml } from "../contract/config-yaml.ts";
import type { MayflyYmlReading } from "../contract/mayfly-yml.ts";
import type { StackLists } from "../contract/tier-checks.ts";
import groups from "./groups.json";
import { MOST_TIERS } from "./plan.ts";
import suffixParents from "./suffix-parents.json";

const ABOVE = new Set(suffixParents);

/**
 * By Mozilla's Public Suffix List, whose private part names the domains below which companies let anybody have a name; a wildcard above such a domain
 * admits those names as well.
 */
export function isAnybodys(domain: string): boolean {
	return getPublicSuffix(domain, { allowPrivateDomains: true }) === domain || ABOVE.has(domain);
}

export const STACK_LISTS: StackLists = {
	groups: Object.keys(groups),
	isAnybodys,
	mostTiers: MOST_TIERS,
	// The poller's list, and what the log calls connections from elsewhere.
	takenNames: ["poller", "none"],
};

/** Reads the text of a mayfly.yml for a stack; every problem at once, with its path. */
export function readMayflyFile(text: string): MayflyYmlReading {
	return parseMayflyYaml(text, STACK_LISTS);
}
