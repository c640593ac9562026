// CloudWatch Logs' patterns for JSON, as far as our metric filters use them: `{ $.a = "b" }`, and several of those joined by `||`
// (docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html). Throws for any other pattern.

const ONE = /^\$((?:\.[A-Za-z_][A-Za-z0-9_]*)+) = "([^"*%]*)"$/;

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

/** Whether a log event is counted. One that is no JSON as a whole never is. */
export function matches(pattern: string, line: string): boolean {
	const inner = /^\{ (.+) \}$/.exec(pattern)?.[1];
	if (inner === undefined) throw new Error(`no pattern for JSON: ${pattern}`);
	const parts = inner.split(" || ").map((part) => part.replace(/^\((.*)\)$/, "$1"));
	const event = parsed(line);
	return parts
		.map((part) => {
			const [, path, wanted] = ONE.exec(part) ?? [];
			if (path === undefined) throw new Error(`not known here: ${part}`);
			return valueAt(event, path.slice(1).split(".")) === wanted;
		})
		.includes(true);
}
