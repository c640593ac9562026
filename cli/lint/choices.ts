// Templates, evaluated as far as they are known before the run, and `condition && one || other` in them: both ways are looked at. Pure.
import { ExpressionError, NOT_CLOSED, piecesOf } from "../../local/workflow/expression.ts";
import { isTruthy, toText } from "../../local/workflow/expression-values.ts";
import { isOpen, type Leg, valueOfExpression } from "./known.ts";

/** More ways than these are not tried one by one. */
const MAX_WAYS = 1024;

/** Where a text between brackets and quotes is at its top, sign by sign. */
function* topOf(source: string): Generator<number> {
	let depth = 0;
	let quoted = false;
	for (let at = 0; at < source.length; at += 1) {
		const sign = source.charAt(at);
		if (sign === "'") quoted = !quoted;
		if (quoted) continue;
		if (sign === "(" || sign === "[") depth += 1;
		if (depth === 0) yield at;
		if (sign === ")" || sign === "]") depth -= 1;
	}
}

function splitAt(source: string, sign: "||" | "&&"): string[] {
	const places = [...topOf(source)].filter((at) => source.startsWith(sign, at));
	const starts = [0, ...places.map((at) => at + sign.length)];
	return starts.map((start, index) => source.slice(start, places[index]).trim());
}

/** `(a || b)` without its brackets. */
function bare(source: string): string {
	const isWrapped = source.startsWith("(") && source.endsWith(")") && topOf(source).next().done === true;
	return isWrapped ? bare(source.slice(1, -1).trim()) : source;
}

interface Way {
	/** Null: it is taken if its value is true. */
	condition: string | null;
	value: string;
}

/** The ways of an expression, in the order in which they are tried; one without a condition if it does not choose. */
function waysOf(source: string): Way[] {
	return splitAt(bare(source.trim()), "||").map((part) => {
		const steps = splitAt(part, "&&");
		return { condition: steps.slice(0, -1).join(" && ") || null, value: steps.at(-1) ?? "" };
	});
}

const choosesNothing = ([first, ...more]: Way[]) => more.length === 0 && first?.condition === null;

/** Null: only the run knows, and nothing is assumed. */
function truthOf(condition: string, leg: Leg): boolean | null {
	const value = valueOfExpression(condition, leg);
	return isOpen(value) ? (leg.assumed?.[condition] ?? null) : isTruthy(value);
}

function chosenValue(source: string, leg: Leg): unknown {
	const whole = valueOfExpression(source, leg);
	const ways = waysOf(source);
	if (!isOpen(whole) || choosesNothing(ways)) return whole;
	for (const { condition, value } of ways) {
		const holds = condition === null || truthOf(condition, leg);
		if (holds === null) return whole;
		if (!holds) continue;
		const found = chosenValue(value, leg);
		const isTaken = isOpen(found) && condition === null ? (leg.assumed?.[value] ?? true) : isOpen(found) || isTruthy(found);
		if (isTaken) return found;
	}
	return whole;
}

/** The conditions that decide the value and are not known. */
function conditionsOf(source: string, leg: Leg): string[] {
	const ways = waysOf(source);
	if (!isOpen(valueOfExpression(source, leg)) || choosesNothing(ways)) return [];
	return ways.flatMap(({ condition, value }, index) => {
		const asked = condition ?? (index < ways.length - 1 && choosesNothing(waysOf(value)) ? value : null);
		return [...(asked !== null && isOpen(valueOfExpression(asked, leg)) ? [asked] : []), ...conditionsOf(value, leg)];
	});
}

function conditionsIn(template: string, leg: Leg): string[] {
	try {
		return piecesOf(template).flatMap((piece) => (piece.kind === "expression" ? conditionsOf(piece.source, leg) : []));
	} catch (error) {
		// It is told where the value is asked for.
		if (error instanceof ExpressionError) return [];
		throw error;
	}
}

/** The legs, and of one whose templates choose by what only the run knows, one for each way that it may turn out. */
export function legsByChoice(legs: Leg[], templates: readonly string[]): Leg[] {
	const ways = legs.map((leg) => ({ leg, conditions: [...new Set(templates.flatMap((template) => conditionsIn(template, leg)))] }));
	if (ways.reduce((sum, { conditions }) => sum + 2 ** conditions.length, 0) > MAX_WAYS) return legs;
	return ways.flatMap(({ leg, conditions }) =>
		conditions.reduce<Leg[]>(
			(split, condition) =>
				split.flatMap((one) => [true, false].map((holds) => ({ ...one, assumed: { ...one.assumed, [condition]: holds } }))),
			[leg],
		),
	);
}

/** Evaluates a template as far as it is known: one whole expression gives its value, anything else text. Throws ExpressionError. */
export function valueOfTemplate(template: string, leg: Leg): unknown {
	const values = piecesOf(template).map((piece) => {
		if (piece.kind === "text") return piece.text;
		if (piece.kind === "open") throw new ExpressionError(NOT_CLOSED);
		return chosenValue(piece.source, leg);
	});
	return values.length === 1 ? values[0] : values.map(toText).join("");
}
