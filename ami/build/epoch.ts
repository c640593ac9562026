// The time that an image's files have: of the commit, so that two builds of it have the same. Touches git.
import { run, type Workshop } from "./command.ts";

/** Seconds since 1970. A build is root's and the checkout often a user's: git reads such a one only where it is told that it is meant. */
export async function commitTime(repository: string, shop: Workshop): Promise<number> {
	const git = ["git", "-c", `safe.directory=${repository}`, "-C", repository];
	return Number(await run("epoch", [...git, "log", "-1", "--format=%ct"], shop));
}
