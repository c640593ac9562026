// CloudWatch Logs' patterns for JSON, as far as our metric filters use them: `{ $.a = "b" }`, a `*` for the rest of a text, and several of those
// joined by `||` and `&&` (docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html). Throws for any other pattern.

const ONE = /^\$((?:\.[A-Za-z_][A-Za-z0-9_]*)+) = "([^"*%]*)(\*?)"$/;

function valueAt(line: unknown, path: string[]): unknown {
	return path.reduce<unknown>(
		(at, key) => (typeof at === "object" && at !== null ? (at as Record<string, unknown>)[key] : undefined),
		line,
	);
}

function parsed(line: string): unknown {
	try {
		return JSON.parse(line);
	} catch {
		return null;
	}
}

/** Parts between an operator that stands outside all parentheses. */
function partsOf(text: string, operator: string): string[] {
	const parts = [""];
	let depth = 0;
	for (const word of text.split(/(\(|\)| (?:\|\||&&) )/)) {
		if (word === "(") depth++;
		if (word === ")") depth--;
		if (word === ` ${operator} ` && depth === 0) parts.push("");
		else parts[parts.length - 1] += word;
	}
	return parts;
}

function holds(text: string, event: unknown): boolean {
	for (const operator of ["||", "&&"]) {
		const parts = partsOf(text, operator).map((part) => holdsEach(part, text, event));
		if (parts.length > 1) return operator === "||" ? parts.includes(true) : !parts.includes(false);
	}
	if (text.startsWith("(") && text.endsWith(")")) return holds(text.slice(1, -1), event);
	const [, path, wanted = "", rest] = ONE.exec(text) ?? [];
	if (path === undefined) throw new Error(`not known here: ${text}`);
	const value = valueAt(event, path.slice(1).split("."));
	return rest === "*" ? typeof value === "string" && value.startsWith(wanted) : value === wanted;
}
const holdsEach = (part: string, whole: string, event: unknown) => (part === whole ? false : holds(part, event));

/** Whether a log event is counted. One that is no JSON as a whole never is. */
export function matches(pattern: string, line: string): boolean {
	const inner = /^\{ (.+) \}$/.exec(pattern)?.[1];
	if (inner === undefined) throw new Error(`no pattern for JSON: ${pattern}`);
	return holds(inner, parsed(line));
}
