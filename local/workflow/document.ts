// A YAML file whose every piece knows its line. Pure. Problems are collected, never thrown: a file's author sees all of them at once.
import { type Alias, type Document, isAlias, isMap, isScalar, LineCounter, type Node, parseDocument, visit, type YAMLMap } from "yaml";

export interface Problem {
	file: string;
	/** From 1. */
	line: number;
	/** From 1. */
	column: number;
	reason: string;
}

export interface Source {
	file: string;
	text: string;
	document: Document;
	lines: LineCounter;
	problems: Problem[];
	/** Aliases that may still be followed: a small file may not unfold into a huge one. */
	aliases: number;
}

export interface Field {
	name: string;
	/** Where the key stands. */
	at: number;
	value: Node | null;
}

const MAX_ALIASES = 1000;
/** One wrong sign can make every later line wrong. */
const MAX_YAML_PROBLEMS = 50;

/** Line and column of an offset, from 1. */
export function linePlace({ lines }: Pick<Source, "lines">, at: number): { line: number; column: number } {
	const { line, col } = lines.linePos(at);
	return { line: Math.max(1, line), column: Math.max(1, col) };
}

export function complain(source: Source, at: number, reason: string): void {
	const { line, column } = linePlace(source, at);
	const known = source.problems.some((problem) => problem.line === line && problem.reason === reason);
	if (!known) source.problems.push({ file: source.file, line, column, reason });
}

/** Offset at which a node begins; `otherwise` for a value that was left out. */
export function placeOf(node: Node | null, otherwise = 0): number {
	return node?.range?.[0] ?? otherwise;
}

/** Where the lines of a text begin. The library's own count goes wrong behind a text of several lines where none may stand. */
export function linesOf(text: string): LineCounter {
	const lines = new LineCounter();
	for (let at = 0; at > 0 || lines.lineStarts.length === 0; at = text.indexOf("\n", at) + 1) lines.addNewLine(at);
	return lines;
}

function readYaml(text: string): Document | string {
	try {
		return parseDocument(text, { prettyErrors: false });
	} catch (error) {
		return error instanceof RangeError ? "the file is nested too deeply" : `the file is not YAML: ${String(error)}`;
	}
}

/** The sign an error is about: the library points at the white space before it, or behind the file's end. */
function signAt(text: string, at: number): number {
	const next = text.slice(at).search(/\S/);
	return next >= 0 ? at + next : Math.max(0, text.trimEnd().length - 1);
}

/** Names every alias to nothing, wherever it stands. */
function checkAliases(source: Source): void {
	const anchors = new Set<string>();
	visit(source.document, {
		Alias(_, { source: name, range }) {
			if (!anchors.has(name)) complain(source, range?.[0] ?? 0, `nothing before it is named &${name}, so *${name} stands for nothing`);
		},
		Node(_, node) {
			if ("anchor" in node && node.anchor) anchors.add(node.anchor);
		},
	});
}

/** Reads the YAML. The document is null if it cannot be understood at all; a key that appears twice still lets the rest be read. */
export function openDocument(file: string, text: string): { source: Source; readable: boolean } {
	const lines = linesOf(text);
	const document = readYaml(text);
	const source: Source = { file, text, document: parseDocument(""), lines, problems: [], aliases: MAX_ALIASES };
	if (typeof document === "string") {
		source.problems.push({ file, line: 1, column: 1, reason: document });
		return { source, readable: false };
	}
	source.document = document;
	for (const { code, message, pos } of [...document.errors, ...document.warnings].slice(0, MAX_YAML_PROBLEMS)) {
		const at = signAt(text, pos[0]);
		const key = /^[^\s:]+/.exec(text.slice(at))?.[0];
		const deep = message.includes("call stack");
		if (deep) complain(source, at, "the file is nested too deeply");
		else complain(source, at, code === "DUPLICATE_KEY" ? `the key ${key} appears twice` : `not valid YAML: ${message}`);
	}
	const readable = document.errors.every(({ code }) => code === "DUPLICATE_KEY");
	if (readable) checkAliases(source);
	return { source, readable };
}

/** The node itself, or what an alias stands for; null for an empty value. */
export function followed(source: Source, node: unknown): Node | null {
	if (!isAlias(node)) return (node ?? null) as Node | null;
	source.aliases -= 1;
	if (source.aliases >= 0) return followed(source, (node as Alias).resolve(source.document));
	if (source.aliases === -1) complain(source, placeOf(node), `the file uses aliases (*name) more than ${MAX_ALIASES} times`);
	return null;
}

/** True for a value that was left out, as in `key:` with nothing behind it. */
export function isEmpty(node: Node | null): boolean {
	return node === null || (isScalar(node) && node.value === null);
}

function keyOf(source: Source, map: YAMLMap, key: unknown): { name: string; at: number } | null {
	const node = followed(source, key);
	if (isScalar(node)) return { name: node.source ?? String(node.value ?? ""), at: placeOf(node) };
	complain(source, placeOf(node, placeOf(map)), "a key must be a plain text");
	return null;
}

/** The keys and values of a mapping, in the file's order. Keys that differ only in case are the same key to GitHub. */
export function fieldsOf(source: Source, given: Node | null, at: number, what: string): Field[] {
	const node = followed(source, given);
	if (!isMap(node)) {
		complain(source, placeOf(node, at), `${what} must be a mapping (key: value)`);
		return [];
	}
	const fields: Field[] = [];
	for (const pair of node.items) {
		const key = keyOf(source, node, pair.key);
		if (key === null) continue;
		const twin = fields.find(({ name }) => name.toLowerCase() === key.name.toLowerCase());
		if (twin && twin.name !== key.name) complain(source, key.at, `the key ${key.name} appears twice (before as ${twin.name})`);
		if (!twin) fields.push({ ...key, value: followed(source, pair.value) });
	}
	return fields;
}
