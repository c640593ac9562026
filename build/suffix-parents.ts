// `bun run suffix-parents`: writes egress/suffix-parents.json, the domains that are no public suffix themselves but have some below them, from the
// Public Suffix List that tldts ships. Its own question answers for suffixes alone.
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { getPublicSuffix } from "tldts";
import { readHost } from "../contract/host.ts";

export const FILE = join(import.meta.dir, "..", "egress", "suffix-parents.json");

/** The list as tldts has it: nodes with edges, an edge for each label, the last label of a name first. It exports none of it. */
interface Trie {
	edgeStart: ArrayLike<number>;
	edgeLength: ArrayLike<number>;
	edgeChild: ArrayLike<number>;
	labelText: string;
	rulesRoot: number;
}

async function readTrie(): Promise<Trie> {
	const library = dirname(Bun.resolveSync("tldts/package.json", import.meta.dir));
	return (await import(join(library, "dist", "es6", "src", "data", "trie.js"))) as Trie;
}

/** Those that an entry may name by what contract/host.ts says, in order. */
export async function suffixParents(): Promise<string[]> {
	const { edgeStart, edgeLength, edgeChild, labelText, rulesRoot } = await readTrie();
	const starts: number[] = [];
	for (let edge = 0, at = 0; edge < edgeLength.length; at += edgeLength[edge++] ?? 0) starts.push(at);
	const label = (edge: number) => labelText.slice(starts[edge], (starts[edge] ?? 0) + (edgeLength[edge] ?? 0));
	const edgesOf = (node: number) =>
		Array.from({ length: (edgeStart[node + 1] ?? 0) - (edgeStart[node] ?? 0) }, (_, at) => (edgeStart[node] ?? 0) + at);
	const below = (node: number, name: string): string[] =>
		edgesOf(node).flatMap((edge) => {
			const child = edgeChild[edge] ?? 0;
			const its = name === "" ? label(edge) : `${label(edge)}.${name}`;
			return edgesOf(child).length === 0 ? [] : [its, ...below(child, its)];
		});
	const isSuffix = (name: string) => getPublicSuffix(name, { allowPrivateDomains: true }) === name;
	return [...new Set(below(rulesRoot, ""))].filter((name) => readHost(`*.${name}`).ok && !isSuffix(name)).toSorted();
}

if (import.meta.main) await writeFile(FILE, `${JSON.stringify(await suffixParents(), null, "\t")}\n`);
