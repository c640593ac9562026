// Whether CloudWatch would take a line of metrics, asked once for all lines that differ in their numbers alone: a day has thousands of them.
import { problemsOf } from "../poller/emf.ts";

/** Whole strings, and numbers as JSON has them. */
const TOKENS = /("(?:[^"\\]|\\.)*")|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/g;
/** A moment that is in the schema's bounds whatever its other digits are. */
const HEAD = /^\{"_aws":\{"Timestamp":(?:1[5-9]|[2-4][0-9])[0-9]{11},/;
/** Below a log event's length, however many bytes a character has. */
const SHORT = 64 * 1024;
const MOST_SHAPES = 10_000;

/** The same answers as `problemsOf`: in what it is asked of, only the moment, the resolution and the length depend on what a number is. */
export function createLineCheck(): (line: string) => string[] {
	const good = new Set<string>();
	return (line) => {
		if (line.length > SHORT || !HEAD.test(line) || line.includes("StorageResolution")) return problemsOf(line);
		const shape = line.replace(TOKENS, "$1#");
		if (good.has(shape)) return [];
		const problems = problemsOf(line);
		if (good.size >= MOST_SHAPES) good.clear();
		if (problems.length === 0) good.add(shape);
		return problems;
	};
}
