// Templates: texts with `${{ }}` expressions, evaluated with contexts such as `github` and `matrix`. Pure.
import { ExpressionError, FUNCTIONS } from "./expression-functions.ts";
import { type Node, parseExpression } from "./expression-syntax.ts";
import { isTruthy, memberOf, ORDER, toText } from "./expression-values.ts";

export { ExpressionError } from "./expression-functions.ts";

/** One piece of a template. `open` is an expression that has no `}}`. */
export type Piece = { kind: "text"; text: string } | { kind: "expression"; source: string } | { kind: "open" };

export const NOT_CLOSED = "the expression is not closed: ${{ has no }}";

/** What `.*` gives: members asked of it are asked of each of its items. */
class Every {
	constructor(readonly items: unknown[]) {}
}

/** Where an expression ends; -1 if nowhere. A `}}` within a quoted text does not close it. */
function closingAt(template: string, from: number): number {
	let quoted = false;
	for (let at = from; at < template.length; at += 1) {
		if (template[at] === "'") quoted = !quoted;
		else if (!quoted && template.startsWith("}}", at)) return at;
	}
	return -1;
}

/** Splits a template into its texts and expressions. */
export function piecesOf(template: string): Piece[] {
	const pieces: Piece[] = [];
	let at = 0;
	for (let open = template.indexOf("${{"); open >= 0; open = template.indexOf("${{", at)) {
		if (open > at) pieces.push({ kind: "text", text: template.slice(at, open) });
		const close = closingAt(template, open + 3);
		if (close < 0) return [...pieces, { kind: "open" }];
		pieces.push({ kind: "expression", source: template.slice(open + 3, close) });
		at = close + 2;
	}
	if (at < template.length) pieces.push({ kind: "text", text: template.slice(at) });
	return pieces;
}

function everyOf(value: unknown): Every {
	const items = value instanceof Every ? value.items : [value];
	return new Every(items.flatMap((item) => (item !== null && typeof item === "object" ? Object.values(item) : [])));
}

function memberOrEach(value: unknown, key: unknown): unknown {
	if (!(value instanceof Every)) return memberOf(value, key);
	return new Every(value.items.map((item) => memberOf(item, key)).filter((found) => found !== null));
}

const plain = (value: unknown) => (value instanceof Every ? value.items : value);

function call(name: string, values: unknown[]): unknown {
	const known = Object.hasOwn(FUNCTIONS, name.toLowerCase()) ? FUNCTIONS[name.toLowerCase()] : undefined;
	if (!known) throw new ExpressionError(`unknown function '${name}'`);
	if (values.length < known.least || values.length > known.most)
		throw new ExpressionError(`${name}() does not take ${values.length} argument${values.length === 1 ? "" : "s"}`);
	return known.call(values);
}

function resultOf(node: Node, contexts: Record<string, unknown>): unknown {
	const value = (inner: Node) => plain(resultOf(inner, contexts));
	switch (node.kind) {
		case "literal":
			return node.value;
		case "context":
			if (!Object.keys(contexts).some((name) => name.toLowerCase() === node.name.toLowerCase()))
				throw new ExpressionError(`there is no '${node.name}' here`);
			return memberOf(contexts, node.name);
		case "member":
			return memberOrEach(resultOf(node.of, contexts), value(node.key));
		case "every":
			return everyOf(resultOf(node.of, contexts));
		case "call":
			return call(node.name, node.values.map(value));
		case "not":
			return !isTruthy(value(node.of));
		case "operator":
			return operate(node.sign, value(node.left), () => value(node.right));
	}
}

/** `&&` and `||` give one of their two values, not a truth. */
function operate(sign: string, left: unknown, right: () => unknown): unknown {
	if (sign === "&&") return isTruthy(left) ? right() : left;
	if (sign === "||") return isTruthy(left) ? left : right();
	return ORDER[sign]?.(left, right());
}

function pieceValue(piece: Piece, contexts: Record<string, unknown>): unknown {
	if (piece.kind === "text") return piece.text;
	if (piece.kind === "open") throw new ExpressionError(NOT_CLOSED);
	return plain(resultOf(parseExpression(piece.source), contexts));
}

/** Evaluates a template whose value matters: one whole expression gives the value itself, anything else gives text. Throws ExpressionError. */
export function evaluateValue(template: string, contexts: Record<string, unknown>): unknown {
	const pieces = piecesOf(template);
	const values = pieces.map((piece) => pieceValue(piece, contexts));
	return values.length === 1 ? values[0] : values.map(toText).join("");
}

/** Evaluates a template to text. Throws ExpressionError for a text that is no expression or names what is not there. */
export function evaluate(template: string, contexts: Record<string, unknown>): string {
	return toText(evaluateValue(template, contexts));
}
