// What can be said of a label by itself, whatever the config is and whatever its unknown parts turn out to be. Pure.
import { readLabel } from "../../contract/label-keys.ts";
import { isUncertain, RUN_ID, SHARED, UNKNOWN } from "./known.ts";

/** The id behind `mayfly=` and `runs-on=`. */
const ID = /((?:^|[/,])\s*(mayfly|runs-on)\s*=)([^/,]*)/gi;

/** A label that describes a machine to Mayfly. */
export const isOurs = (label: string) => /(^|[/,])\s*mayfly\s*=/i.test(label);
/** The same for RunsOn. */
export const isRunsOns = (label: string) => /(^|[/,])\s*runs-on\s*=/i.test(label);

/** Whether runs share the label: nothing in its id is the run's own. */
export function isShared(label: string): boolean {
	const ids = [...label.matchAll(ID)].map(([, , , id = ""]) => id.trim());
	return ids.length > 0 && ids.every((id) => id !== "" && !id.includes(RUN_ID) && !id.includes(UNKNOWN));
}

/** The id's value chooses nothing, so it need not be known. */
export const withKnownId = (label: string) =>
	label.replace(ID, (_, key: string, _name: string, id: string) => key + id.replaceAll(UNKNOWN, "1").replaceAll(SHARED, "1"));

/** Why a label is refused whatever else is true: those of its parts that are known are read. Null: nothing speaks against it. */
export function whyMalformed(label: string): string | null {
	// What is not known may bring further parts, but changes none that stands between two separators.
	const known = label.split(/[/,]/).filter((part) => !isUncertain(part));
	const read = readLabel(known.join("/"));
	return known.length === 0 || read.ok ? null : read.reason;
}
