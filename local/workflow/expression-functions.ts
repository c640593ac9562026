// The functions of GitHub's expressions that a workflow may call here. Pure.
import { isEqual, toText } from "./expression-values.ts";

/** What is wrong with an expression, in words for the author of the workflow. */
export class ExpressionError extends Error {
	override name = "ExpressionError";
}

interface ExpressionFunction {
	least: number;
	most: number;
	call: (values: unknown[]) => unknown;
}

const isList = (value: unknown): value is unknown[] => Array.isArray(value);
const isSimple = (value: unknown) => value === null || typeof value !== "object";
const upper = (value: unknown) => toText(value).toUpperCase();

function contains([searched, item]: unknown[]): boolean {
	if (isList(searched)) return searched.some((element) => isEqual(element, item));
	return isSimple(searched) && isSimple(item) && upper(searched).includes(upper(item));
}

/** `{0}` is the first argument after the template; `{{` and `}}` stand for single braces. */
function format([template, ...values]: unknown[]): string {
	const text = toText(template);
	const rest = text.replace(/\{\{|\}\}|\{\d+\}/g, "");
	if (/[{}]/.test(rest)) throw new ExpressionError(`format() is given a brace that is neither {0} nor doubled: '${text}'`);
	return text.replace(/\{\{|\}\}|\{(\d+)\}/g, (found, index: string | undefined) => {
		if (index === undefined) return found.charAt(0);
		if (Number(index) >= values.length) throw new ExpressionError(`format() has no argument for ${found} in '${text}'`);
		return toText(values[Number(index)]);
	});
}

function join([list, separator = ","]: unknown[]): string {
	if (!isList(list)) return isSimple(list) ? toText(list) : "";
	return list.map((item) => (isSimple(item) ? toText(item) : "")).join(toText(separator));
}

function fromJson([text]: unknown[]): unknown {
	try {
		return JSON.parse(toText(text));
	} catch {
		throw new ExpressionError(`fromJSON() is given text that is not JSON: '${toText(text).slice(0, 60)}'`);
	}
}

const bothSimple = (left: unknown, right: unknown) => isSimple(left) && isSimple(right);

/** By lower-case name: functions are found without regard to case. */
export const FUNCTIONS: Record<string, ExpressionFunction> = {
	contains: { least: 2, most: 2, call: contains },
	startswith: { least: 2, most: 2, call: ([text, start]) => bothSimple(text, start) && upper(text).startsWith(upper(start)) },
	endswith: { least: 2, most: 2, call: ([text, end]) => bothSimple(text, end) && upper(text).endsWith(upper(end)) },
	format: { least: 1, most: 255, call: format },
	join: { least: 1, most: 2, call: join },
	tojson: { least: 1, most: 1, call: ([value]) => JSON.stringify(value ?? null, null, 2) },
	fromjson: { least: 1, most: 1, call: fromJson },
};
