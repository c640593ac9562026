// Where in the text of a mayfly.yml a problem's path stands. Pure.
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair } from "yaml";

interface Found {
	at: number;
	/** What of the path leads nowhere. */
	left: string;
}

const startOf = (node: unknown, otherwise: number) => (node as Node | null)?.range?.[0] ?? otherwise;

/** Keys may hold dots themselves, so a path is read with the document beside it. Gives the rest of the path behind a key, or null. */
function behind(path: string, key: string): string | null {
	if (path === key) return "";
	return path.startsWith(`${key}.`) ? path.slice(key.length + 1) : null;
}

function stepsFrom(node: unknown, path: string): { pair: Pair | null; value: unknown; rest: string }[] {
	if (isSeq(node)) {
		const [, index = "", rest = ""] = /^(\d+)(?:\.(.*))?$/s.exec(path) ?? [];
		return index !== "" && Number(index) < node.items.length ? [{ pair: null, value: node.items[Number(index)], rest }] : [];
	}
	if (!isMap(node)) return [];
	return node.items.flatMap((pair) => {
		const rest = behind(path, isScalar(pair.key) ? String(pair.key.value) : String(pair.key));
		return rest === null ? [] : [{ pair, value: pair.value, rest }];
	});
}

function find(document: Document, given: unknown, path: string, at: number, wantsKey: boolean): Found {
	const node = isAlias(given) ? given.resolve(document) : given;
	let best: Found = { at, left: path };
	if (path === "") return best;
	for (const { pair, value, rest } of stepsFrom(node, path)) {
		const key = startOf(pair?.key, at);
		// A value of one word is what is wrong; of a mapping or list the key says which.
		const here = pair !== null && (wantsKey || !isScalar(value)) ? key : startOf(value, key);
		const found = find(document, value, rest, here, wantsKey);
		if (found.left.length < best.left.length) best = found;
	}
	return best;
}

/** Offset of what a path in dots names, or of the nearest thing around it that is there. `wantsKey`: the key itself is what is wrong. */
export function offsetOfPath(document: Document, path: string, wantsKey: boolean): number {
	return find(document, document.contents, path, startOf(document.contents, 0), wantsKey).at;
}
