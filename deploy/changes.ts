// What a change set would do, as lines. Pure.

export interface Change {
	/** Logical ids of the nested stacks around it, outermost first. */
	within: string[];
	action: "Add" | "Modify" | "Remove" | "Import" | "Dynamic";
	logicalId: string;
	type: string;
	/** `True`, `False` or `Conditional`; null where the question does not arise. */
	replacement: string | null;
	/** A nested stack whose own changes follow. */
	isOpened: boolean;
}

const SIGNS: Record<Change["action"], string> = { Add: "+", Modify: "~", Remove: "-", Import: ">", Dynamic: "?" };
const COLOURS: Record<Change["action"], number> = { Add: 32, Modify: 33, Remove: 31, Import: 36, Dynamic: 36 };

function wordOf({ action, replacement }: Change): string {
	if (replacement === "True") return "replace";
	if (replacement === "Conditional") return "modify, perhaps replace";
	return action.toLowerCase();
}

/** A table with a line for each change, nested ones behind the path to them; widths are of this table. */
export function changeLines(changes: readonly Change[], colour: boolean): string[] {
	const rows = changes.map((change) => ({ change, word: wordOf(change), name: [...change.within, change.logicalId].join("/") }));
	const wide = (texts: string[]) => Math.max(0, ...texts.map((text) => text.length));
	const [words, names] = [wide(rows.map(({ word }) => word)), wide(rows.map(({ name }) => name))];
	return rows.map(({ change, word, name }) => {
		const sign = `${SIGNS[change.action]} ${word.padEnd(words)}`;
		const seen = colour ? `\u001b[${change.replacement === "True" ? 31 : COLOURS[change.action]}m${sign}\u001b[0m` : sign;
		return `  ${seen}  ${name.padEnd(names)}  ${change.type}`;
	});
}

/** `3 to add, 1 to replace`. */
export function changeCounts(changes: readonly Change[]): string {
	const counts = new Map<string, number>();
	for (const change of changes) counts.set(wordOf(change), (counts.get(wordOf(change)) ?? 0) + 1);
	return [...counts].map(([word, count]) => `${count} to ${word}`).join(", ") || "no resource changes, outputs or descriptions do";
}
