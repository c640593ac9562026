// What a step writes into $GITHUB_ENV, $GITHUB_OUTPUT and $GITHUB_PATH, read. Pure. From GitHub's page "Workflow commands", part "Environment files".

/** What is wrong with such a file; the step then fails. */
export class FileCommandError extends Error {
	override name = "FileCommandError";
}

/** Lines up to the delimiter, and how many lines that took. */
function readBlock(lines: string[], from: number, delimiter: string): { value: string; end: number } {
	const end = lines.indexOf(delimiter, from);
	if (end < 0) throw new FileCommandError(`Invalid value. Matching delimiter not found '${delimiter}'`);
	return { value: lines.slice(from, end).join("\n"), end };
}

/** `name=value`, or `name<<DELIMITER`, lines, `DELIMITER`; whichever sign comes first on a line decides. Later values win. */
export function parseAssignments(text: string): Record<string, string> {
	const lines = text.split(/\r?\n/);
	const values: Record<string, string> = {};
	for (let index = 0; index < lines.length; index += 1) {
		const line = lines[index] ?? "";
		if (line === "") continue;
		const [, name, sign, rest = ""] = /^(.*?)(=|<<)(.*)$/.exec(line) ?? [];
		if (name === undefined) throw new FileCommandError(`Invalid format '${line}'`);
		if (name === "" || (sign === "<<" && rest === ""))
			throw new FileCommandError(
				`Invalid format '${line}'. Name must not be empty${sign === "<<" ? " and delimiter must not be empty" : ""}`,
			);
		if (sign === "=") values[name] = rest;
		else {
			const block = readBlock(lines, index + 1, rest);
			values[name] = block.value;
			index = block.end;
		}
	}
	return values;
}

/** As parseAssignments, for $GITHUB_ENV: a variable that would reach into the runner's own programs is refused. */
export function parseEnvFile(text: string): Record<string, string> {
	const values = parseAssignments(text);
	const blocked = Object.keys(values).find((name) => name.toUpperCase() === "NODE_OPTIONS");
	if (blocked) throw new FileCommandError(`Can't store ${blocked} output parameter using '$GITHUB_ENV' command.`);
	return values;
}

/** Folders for PATH, one a line. */
export function parsePathFile(text: string): string[] {
	return text.split(/\r?\n/).filter((line) => line !== "");
}
