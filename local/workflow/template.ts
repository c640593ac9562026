// Texts of a workflow file with `${{ }}` in them, checked where they stand: every context and function that will not be there is named. Pure.
import { isScalar, type Node } from "yaml";
import { complain, placeOf, type Source } from "./document.ts";
import { ExpressionError, NOT_CLOSED, piecesOf } from "./expression.ts";
import { FUNCTIONS } from "./expression-functions.ts";
import { type Node as Expression, parseExpression } from "./expression-syntax.ts";
import { toText } from "./expression-values.ts";
import type { Template } from "./model.ts";

/** Contexts by place, as on GitHub's page "Contexts reference", cut down to those that exist here. */
export const CONTEXTS = {
	workflow: ["github"],
	job: ["github", "matrix", "needs"],
	step: ["github", "matrix", "needs", "env", "steps"],
};
export type Place = keyof typeof CONTEXTS;

/** Where a value stands in the file and how to call it in a problem. */
export interface Spot {
	at: number;
	what: string;
	place: Place;
}

function innerOf(node: Expression): Expression[] {
	if (node.kind === "call") return node.values;
	if (node.kind === "operator") return [node.left, node.right];
	if (node.kind === "member") return [node.of, node.key];
	return node.kind === "not" || node.kind === "every" ? [node.of] : [];
}

function problemsIn(node: Expression, { what, place }: Spot): string[] {
	const problems = innerOf(node).flatMap((inner) => problemsIn(inner, { at: 0, what, place }));
	if (node.kind === "call") {
		const known = Object.hasOwn(FUNCTIONS, node.name.toLowerCase()) ? FUNCTIONS[node.name.toLowerCase()] : undefined;
		if (!known) return [...problems, `unsupported function ${node.name}() in ${what}`];
		const fits = node.values.length >= known.least && node.values.length <= known.most;
		return fits ? problems : [...problems, `${node.name}() does not take ${node.values.length} arguments (${what})`];
	}
	if (node.kind !== "context") return problems;
	const name = node.name.toLowerCase();
	if (CONTEXTS[place].includes(name)) return problems;
	const offered = CONTEXTS[place].join(", ");
	return CONTEXTS.step.includes(name)
		? [...problems, `the context ${name} is not available in ${what}; there is ${offered}`]
		: [...problems, `unsupported context ${node.name} in ${what}`];
}

function expressionProblems(source: string, spot: Spot): string[] {
	try {
		return problemsIn(parseExpression(source), spot);
	} catch (error) {
		if (error instanceof ExpressionError) return [`${error.message} (${spot.what})`];
		throw error;
	}
}

/** The line on which the nth `${{` of a node stands in the file. */
function placeOfExpression(source: Source, node: Node, index: number): number {
	const [start, end] = [placeOf(node), node.range?.[1] ?? 0];
	let at = start - 1;
	for (let found = 0; found <= index; found += 1) at = source.text.indexOf("${{", at + 1);
	return at >= start && at < end ? at : start;
}

function checkExpressions(source: Source, node: Node, text: string, spot: Spot): void {
	const expressions = piecesOf(text).filter((piece) => piece.kind !== "text");
	for (const [index, piece] of expressions.entries()) {
		const problems = piece.kind === "open" ? [`${NOT_CLOSED} (${spot.what})`] : expressionProblems(piece.source, spot);
		for (const problem of problems) complain(source, placeOfExpression(source, node, index), problem);
	}
}

/** A text, number or boolean as text; null (and a problem) for anything else. An empty value is the empty text. */
export function textOf(source: Source, node: Node | null, spot: { at: number; what: string }): string | null {
	if (node === null) return "";
	if (isScalar(node)) return toText(node.value);
	complain(source, placeOf(node, spot.at), `${spot.what} must be a text, not a list or mapping`);
	return null;
}

/** A text that may hold expressions. */
export function templateOf(source: Source, node: Node | null, spot: Spot): Template | null {
	const text = textOf(source, node, spot);
	if (text !== null && node !== null) checkExpressions(source, node, text, spot);
	return text;
}

/** True for a text that is one whole expression, whose value may thus be of any kind. */
export function isWholeExpression(text: string): boolean {
	const pieces = piecesOf(text);
	return pieces.length === 1 && pieces[0]?.kind === "expression";
}
