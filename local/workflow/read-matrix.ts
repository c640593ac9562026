// `strategy:` of a job, read into its legs. Pure.
import { isMap, isScalar, isSeq, type Node } from "yaml";
import { complain, type Field, fieldsOf, followed, placeOf, type Source } from "./document.ts";
import { legsOf, MAX_LEGS, type Matrix, type MatrixValue, productSize } from "./matrix.ts";
import type { MatrixLeg } from "./model.ts";

function valueOfNode(source: Source, given: unknown, what: string): MatrixValue {
	const node = followed(source, given);
	if (isMap(node))
		return Object.fromEntries(fieldsOf(source, node, 0, what).map(({ name, value }) => [name, valueOfNode(source, value, what)]));
	if (isSeq(node)) return node.items.map((item) => valueOfNode(source, item, what));
	if (!isScalar(node)) return null;
	if (typeof node.value === "string" && node.value.includes("${{"))
		complain(source, placeOf(node), `unsupported expression in ${what}: its values are read before any job runs`);
	return ["string", "number", "boolean"].includes(typeof node.value) ? (node.value as MatrixValue) : null;
}

function legsListed(source: Source, { value, at, name }: Field, what: string): MatrixLeg[] {
	if (!isSeq(value)) {
		complain(source, placeOf(value, at), `${name} of ${what} must be a list of mappings`);
		return [];
	}
	return value.items.map((item) => {
		const fields = fieldsOf(source, item as Node, at, `an entry under ${name} of ${what}`);
		return Object.fromEntries(fields.map((field) => [field.name, valueOfNode(source, field.value, what)]));
	});
}

function vectorOf(source: Source, { value, at, name }: Field, what: string): MatrixValue[] {
	if (isSeq(value) && value.items.length > 0) return value.items.map((item) => valueOfNode(source, item, what));
	const expression = isScalar(value) && String(value.value).includes("${{");
	const reason = expression ? `unsupported expression for ${name} of ${what}` : `${name} of ${what} must be a list with at least one value`;
	complain(source, placeOf(value, at), `${reason}${expression ? ": its values are read before any job runs" : ""}`);
	return [];
}

function checkExclude(source: Source, matrix: Matrix, field: Field, what: string): void {
	const strange = new Set(matrix.exclude.flatMap((part) => Object.keys(part)).filter((name) => !Object.hasOwn(matrix.vectors, name)));
	for (const name of strange) complain(source, field.at, `exclude of ${what} names ${name}, which the matrix does not have`);
}

function readMatrix(source: Source, field: Field, what: string): MatrixLeg[] {
	if (isScalar(field.value) && String(field.value.value).includes("${{")) {
		complain(source, placeOf(field.value), `unsupported expression for ${what}: its values are read before any job runs`);
		return [{}];
	}
	const before = source.problems.length;
	const matrix: Matrix = { vectors: {}, include: [], exclude: [] };
	const fields = fieldsOf(source, field.value, field.at, what);
	for (const entry of fields) {
		if (entry.name === "include" || entry.name === "exclude") matrix[entry.name] = legsListed(source, entry, what);
		else matrix.vectors[entry.name] = vectorOf(source, entry, what);
	}
	const exclude = fields.find(({ name }) => name === "exclude");
	if (exclude) checkExclude(source, matrix, exclude, what);
	if (productSize(matrix.vectors) > MAX_LEGS * MAX_LEGS) {
		complain(source, field.at, `${what} gives more than ${MAX_LEGS} jobs`);
		return [{}];
	}
	const legs = legsOf(matrix);
	if (legs.length > MAX_LEGS) complain(source, field.at, `${what} gives ${legs.length} jobs; GitHub takes ${MAX_LEGS}`);
	if (legs.length === 0 && source.problems.length === before) complain(source, field.at, `${what} gives no job at all`);
	return legs;
}

/** Legs of a `strategy:`. Legs are never cancelled by a sibling here, so `fail-fast: false` is the only value that is honoured. */
export function readStrategy(source: Source, strategy: Field, what: string): MatrixLeg[] {
	let legs: MatrixLeg[] = [{}];
	for (const field of fieldsOf(source, strategy.value, strategy.at, `strategy of ${what}`)) {
		if (field.name === "matrix") legs = readMatrix(source, field, `the matrix of ${what}`);
		else if (field.name !== "fail-fast") complain(source, field.at, `unsupported key ${field.name} in strategy of ${what}`);
		else if (!isScalar(field.value) || field.value.value !== false)
			complain(source, field.at, `unsupported fail-fast of ${what}: only false, legs are not cancelled by a sibling here`);
	}
	return legs;
}
