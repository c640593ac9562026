// `strategy.matrix` of a job, read into the legs that are known before the run. Pure.
import { isMap, isScalar, isSeq, type Node } from "yaml";
import { complain, type Field, fieldsOf, followed, placeOf, type Source } from "../../local/workflow/document.ts";
import { ExpressionError } from "../../local/workflow/expression.ts";
import { legsOf, MAX_LEGS, type Matrix, type MatrixValue, productSize } from "../../local/workflow/matrix.ts";
import type { MatrixLeg } from "../../local/workflow/model.ts";
import { type Leg, UNKNOWN, valueOfTemplate } from "./known.ts";

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

/** Null: an expression that is known only at the run. */
function listIn(source: Source, { value, at, name }: Field, what: string): MatrixValue[] | null {
	const found = valueIn(source, value, what);
	if (Array.isArray(found)) return found;
	if (typeof found === "string" && found !== "" && isScalar(value) && String(value.value).includes("${{")) return null;
	complain(source, placeOf(value, at), `${name} of ${what} must be a list`);
	return [];
}

/** The legs of `strategy:`. Those that are known are told; what else there may be is a leg that is not whole. */
export function readLegs(source: Source, strategy: Field, what: string): Leg[] {
	const field = fieldsOf(source, strategy.value, strategy.at, `strategy of ${what}`).find(({ name }) => name === "matrix");
	if (!field) return ONE_LEG;
	return isScalar(field.value) ? legsOfValue(source, field, what) : legsOfFields(source, field, `the matrix of ${what}`);
}

/** `matrix: ${{ fromJSON(...) }}`. */
function legsOfValue(source: Source, { value, at }: Field, what: string): Leg[] {
	const text = isScalar(value) ? String(value.value) : "";
	if (!text.includes("${{")) complain(source, placeOf(value as Node, at), `the matrix of ${what} must be a mapping (key: value)`);
	else valueIn(source, value, `the matrix of ${what}`);
	return NOT_KNOWN;
}

function legsOfFields(source: Source, field: Field, what: string): Leg[] {
	const matrix: Matrix = { vectors: {}, include: [], exclude: [] };
	let isWhole = true;
	for (const entry of fieldsOf(source, field.value, field.at, what)) {
		const list = listIn(source, entry, what);
		if (list === null) isWhole = false;
		if (entry.name !== "include" && entry.name !== "exclude") matrix.vectors[entry.name] = list ?? [UNKNOWN];
		else if (list !== null && isListOfMappings(list)) matrix[entry.name] = list;
		else if (list !== null) complain(source, entry.at, `${entry.name} of ${what} must be a list of mappings`);
	}
	if (productSize(matrix.vectors) > MAX_LEGS * MAX_LEGS) {
		complain(source, field.at, `${what} gives more than ${MAX_LEGS} jobs`);
		return NOT_KNOWN;
	}
	const legs = legsOf(matrix).map((values) => ({ values, isWhole }));
	if (legs.length > MAX_LEGS) complain(source, field.at, `${what} gives ${legs.length} jobs; GitHub takes ${MAX_LEGS}`);
	return legs.length > 0 ? legs.slice(0, MAX_LEGS) : isWhole ? [] : NOT_KNOWN;
}
