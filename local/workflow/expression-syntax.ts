// The text between `${{` and `}}`, read into a tree. Pure. Limits are GitHub's own (21,000 characters, 50 levels).
import { ExpressionError } from "./expression-functions.ts";

export type Node =
	| { kind: "literal"; value: unknown }
	| { kind: "context"; name: string }
	| { kind: "member"; of: Node; key: Node }
	| { kind: "every"; of: Node }
	| { kind: "call"; name: string; values: Node[] }
	| { kind: "not"; of: Node }
	| { kind: "operator"; sign: string; left: Node; right: Node };

interface Token {
	kind: "text" | "number" | "name" | "sign";
	text: string;
}

const MAX_LENGTH = 21_000;
const MAX_DEPTH = 50;
const TOKEN =
	/\s*(?:(?<text>'(?:[^']|'')*')|(?<number>[+-]?(?:0x[0-9a-fA-F]+|0o[0-7]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))(?![\w])|(?<name>[A-Za-z_][\w-]*)|(?<sign>&&|\|\||[=!<>]=|[!<>().,[\]*]))/y;
const KEYWORDS: Record<string, unknown> = {
	true: true,
	false: false,
	null: null,
	NaN: Number.NaN,
	Infinity: Number.POSITIVE_INFINITY,
};
/** From the loosest to the tightest. */
const LEVELS = [["||"], ["&&"], ["==", "!="], ["<", ">", "<=", ">="]];

function tokensOf(source: string): Token[] {
	const tokens: Token[] = [];
	TOKEN.lastIndex = 0;
	let at = 0;
	while (source.slice(at).trim() !== "") {
		const groups = TOKEN.exec(source)?.groups;
		if (!groups)
			throw new ExpressionError(`unexpected symbol '${source.slice(at).trim().split(/\s/)[0]}' in expression '${source.trim()}'`);
		const [kind, text] = Object.entries(groups).find(([, value]) => value !== undefined) ?? ["sign", ""];
		tokens.push({ kind: kind as Token["kind"], text });
		at = TOKEN.lastIndex;
	}
	return tokens;
}

interface Reader {
	source: string;
	tokens: Token[];
	depth: number;
}

const next = (reader: Reader) => reader.tokens[0];
const isSign = (reader: Reader, ...signs: string[]) => next(reader)?.kind === "sign" && signs.includes(next(reader)?.text ?? "");

function unexpected(reader: Reader): ExpressionError {
	const found = next(reader);
	return new ExpressionError(`unexpected ${found ? `'${found.text}'` : "end"} in expression '${reader.source.trim()}'`);
}

function take(reader: Reader, ...signs: string[]): string {
	const token = next(reader);
	if (!token || (signs.length > 0 && !isSign(reader, ...signs))) throw unexpected(reader);
	reader.tokens.shift();
	return token.text;
}

function readLevel(reader: Reader, level: number): Node {
	const signs = LEVELS[level];
	if (!signs) return readUnary(reader);
	let left = readLevel(reader, level + 1);
	while (isSign(reader, ...signs)) left = { kind: "operator", sign: take(reader), left, right: readLevel(reader, level + 1) };
	return left;
}

function readInner(reader: Reader): Node {
	reader.depth += 1;
	if (reader.depth > MAX_DEPTH) throw new ExpressionError(`the expression is nested more than ${MAX_DEPTH} levels deep`);
	const node = readLevel(reader, 0);
	reader.depth -= 1;
	return node;
}

function readUnary(reader: Reader): Node {
	let negations = 0;
	while (isSign(reader, "!")) negations += take(reader).length;
	if (negations > MAX_DEPTH) throw new ExpressionError(`the expression is nested more than ${MAX_DEPTH} levels deep`);
	let node = readMembers(reader, readPrimary(reader));
	for (; negations > 0; negations -= 1) node = { kind: "not", of: node };
	return node;
}

function readPrimary(reader: Reader): Node {
	if (isSign(reader, "(")) {
		take(reader);
		const node = readInner(reader);
		take(reader, ")");
		return node;
	}
	const token = next(reader);
	if (!token || token.kind === "sign") throw unexpected(reader);
	take(reader);
	if (token.kind === "text") return { kind: "literal", value: token.text.slice(1, -1).replaceAll("''", "'") };
	if (token.kind === "number") return { kind: "literal", value: Number(token.text) };
	if (isSign(reader, "(")) return { kind: "call", name: token.text, values: readArguments(reader) };
	return Object.hasOwn(KEYWORDS, token.text) ? { kind: "literal", value: KEYWORDS[token.text] } : { kind: "context", name: token.text };
}

function readArguments(reader: Reader): Node[] {
	const values: Node[] = [];
	take(reader, "(");
	while (!isSign(reader, ")")) {
		if (values.length > 0) take(reader, ",");
		values.push(readInner(reader));
	}
	take(reader, ")");
	return values;
}

function readMembers(reader: Reader, of: Node): Node {
	let node = of;
	for (let members = 0; isSign(reader, ".", "["); members += 1) {
		if (members > MAX_DEPTH) throw new ExpressionError(`the expression is nested more than ${MAX_DEPTH} levels deep`);
		node = take(reader) === "." ? readName(reader, node) : readIndex(reader, node);
	}
	return node;
}

function readName(reader: Reader, of: Node): Node {
	if (isSign(reader, "*")) {
		take(reader);
		return { kind: "every", of };
	}
	if (next(reader)?.kind !== "name") throw unexpected(reader);
	return { kind: "member", of, key: { kind: "literal", value: take(reader) } };
}

function readIndex(reader: Reader, of: Node): Node {
	if (isSign(reader, "*")) {
		take(reader);
		take(reader, "]");
		return { kind: "every", of };
	}
	const key = readInner(reader);
	take(reader, "]");
	return { kind: "member", of, key };
}

/** Reads one expression, without its `${{ }}`. Throws ExpressionError naming what it met. */
export function parseExpression(source: string): Node {
	if (source.length > MAX_LENGTH) throw new ExpressionError(`the expression is longer than ${MAX_LENGTH} characters`);
	const reader: Reader = { source, tokens: tokensOf(source), depth: 0 };
	if (reader.tokens.length === 0) throw new ExpressionError("an expression was expected between ${{ and }}");
	const node = readLevel(reader, 0);
	if (reader.tokens.length > 0) throw unexpected(reader);
	return node;
}
