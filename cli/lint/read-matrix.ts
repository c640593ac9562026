// `strategy.matrix` of a job, read into the legs that are known before the run. Pure.
import { isMap, isScalar, isSeq } from "yaml";
import { complain, type Field, fieldsOf, followed, placeOf, type Source } from "../../local/workflow/document.ts";
import { ExpressionError } from "../../local/workflow/expression.ts";
import { legsOf, MAX_LEGS, type Matrix, type MatrixValue, productSize } from "../../local/workflow/matrix.ts";
import type { MatrixLeg } from "../../local/workflow/model.ts";
import { valueOfTemplate } from "./choices.ts";
import { isOpen, type Leg, UNKNOWN } from "./known.ts";

/** Without a matrix: one leg that has nothing. */
export const ONE_LEG: Leg[] = [{ values: {}, isWhole: true }];
const NOT_KNOWN: Leg[] = [{ values: {}, isWhole: false }];

/** A value of the matrix; expressions in it are evaluated as far as they are known. */
function valueIn(source: Source, given: unknown, what: string): MatrixValue {
	const node = followed(source, given);
	if (isMap(node))
		return Object.fromEntries(fieldsOf(source, node, 0, what).map(({ name, value }) => [name, valueIn(source, value, what)]));
	if (isSeq(node)) return node.items.map((item) => valueIn(source, item, what));
	if (!isScalar(node)) return null;
	if (typeof node.value !== "string") return ["number", "boolean"].includes(typeof node.value) ? (node.value as MatrixValue) : null;
	try {
		return valueOfTemplate(node.value, { values: {}, isWhole: false }) as MatrixValue;
	} catch (error) {
		if (!(error instanceof ExpressionError)) throw error;
		complain(source, placeOf(node), `${error.message} (${what})`);
		return null;
	}
}

const isListOfMappings = (value: MatrixValue): value is MatrixLeg[] =>
	Array.isArray(value) && value.every((item) => item !== null && typeof item === "object" && !Array.isArray(item));

interface Entry {
	name: string;
	at: number;
	/** As far as it is known; a sign for what is not. */
	value: MatrixValue;
}

/** The legs of `strategy:`. Those that are known are told; what else there may be is a leg that is not whole. */
export function readLegs(source: Source, strategy: Field, what: string): Leg[] {
	const field = fieldsOf(source, strategy.value, strategy.at, `strategy of ${what}`).find(({ name }) => name === "matrix");
	if (!field) return ONE_LEG;
	const entries = readEntries(source, field, `the matrix of ${what}`);
	return entries === null ? NOT_KNOWN : legsOfEntries(source, field.at, entries, `the matrix of ${what}`);
}

/** Null: they are known only at the run, or are none, which is told. */
function readEntries(source: Source, { value, at }: Field, what: string): Entry[] | null {
	if (isMap(value))
		return fieldsOf(source, value, at, what).map((entry) => ({
			...{ name: entry.name, at: placeOf(entry.value, entry.at) },
			value: valueIn(source, entry.value, what),
		}));
	// `matrix: ${{ fromJSON(...) }}`
	const place = placeOf(value, at);
	const before = source.problems.length;
	const found = isScalar(value) && String(value.value).includes("${{") ? valueIn(source, value, what) : null;
	if (isOpen(found) || source.problems.length > before) return null;
	if (found !== null && typeof found === "object" && !Array.isArray(found))
		return Object.entries(found).map(([name, of]) => ({ name, at: place, value: of as MatrixValue }));
	complain(source, place, `${what} must be a mapping (key: value)`);
	return null;
}

/** Null: an expression that is known only at the run. */
function listOf(source: Source, { name, at, value }: Entry, what: string): MatrixValue[] | null {
	if (isOpen(value)) return null;
	if (!Array.isArray(value)) complain(source, at, `${name} of ${what} must be a list`);
	else if (value.length > 0 || name === "include" || name === "exclude") return value;
	else complain(source, at, `${name} of ${what} is an empty list, which GitHub refuses: it must have a value`);
	// One that is not known, so that the rest of the job is still looked at.
	return name === "include" || name === "exclude" ? [] : [UNKNOWN];
}

function legsOfEntries(source: Source, at: number, entries: Entry[], what: string): Leg[] {
	const matrix: Matrix = { vectors: {}, include: [], exclude: [] };
	let isWhole = true;
	for (const entry of entries) {
		const list = listOf(source, entry, what);
		if (list === null) isWhole = false;
		if (entry.name !== "include" && entry.name !== "exclude") matrix.vectors[entry.name] = list ?? [UNKNOWN];
		else if (list !== null && isListOfMappings(list)) matrix[entry.name] = list;
		else if (list !== null) complain(source, entry.at, `${entry.name} of ${what} must be a list of mappings`);
	}
	if (productSize(matrix.vectors) > MAX_LEGS * MAX_LEGS) {
		complain(source, at, `${what} gives more than ${MAX_LEGS} jobs`);
		return NOT_KNOWN;
	}
	if (isWhole && Object.keys(matrix.vectors).length === 0 && matrix.include.length === 0) {
		complain(source, at, `${what} has no values, which GitHub refuses`);
		return NOT_KNOWN;
	}
	const legs = legsOf(matrix).map((values) => ({ values, isWhole }));
	if (legs.length > MAX_LEGS) complain(source, at, `${what} gives ${legs.length} jobs; GitHub takes ${MAX_LEGS}`);
	return legs.length > 0 ? legs.slice(0, MAX_LEGS) : isWhole ? [] : NOT_KNOWN;
}
