// Reads the form body of an EC2 Query call: `Filter.1.Value.2=x` is a tree with numbered lists (FACTS 8, "EC2 Query wire"). Pure.
import { Ec2Refusal, invalid, missing } from "./refusal.ts";

export interface Node {
	value: string | null;
	children: Map<string, Node>;
}

const emptyNode = (): Node => ({ value: null, children: new Map() });

/** The call as a tree; a name given twice is refused. */
export function parseParameters(body: string): Node {
	const root = emptyNode();
	for (const [name, value] of new URLSearchParams(body)) {
		let node = root;
		for (const part of name.split(".")) {
			const child = node.children.get(part) ?? emptyNode();
			node.children.set(part, child);
			node = child;
		}
		if (node.value !== null) throw new Ec2Refusal("MalformedQueryString", `The parameter ${name} is given twice`);
		node.value = value;
	}
	return root;
}

/** The names in `known` are all that is understood; `#` stands for a list's number. Anything else is refused, never passed over. */
export function refuseUnknown(body: string, known: string[]): void {
	const patterns = new Set(["Action", "Version", "DryRun", ...known]);
	for (const [name] of new URLSearchParams(body)) {
		const pattern = name.replace(/\.[1-9]\d*(?=\.|$)/g, ".#");
		if (!patterns.has(pattern)) throw new Ec2Refusal("UnknownParameter", `The parameter ${name} is not recognized`);
	}
}

export function textAt(node: Node, path: string): string | null {
	const found = path.split(".").reduce<Node | undefined>((at, part) => at?.children.get(part), node);
	return found?.value || null;
}

export function requiredAt(node: Node, path: string): string {
	const text = textAt(node, path);
	if (text === null) throw missing(path);
	return text;
}

/** A whole number, or null if absent. */
export function integerAt(node: Node, path: string): number | null {
	const text = textAt(node, path);
	if (text === null) return null;
	if (!/^-?\d{1,9}$/.test(text)) throw invalid(`Value (${text}) for parameter ${path} is invalid. It must be an integer`);
	return Number(text);
}

export function oneOfAt<T extends string>(node: Node, path: string, allowed: readonly T[]): T | null {
	const text = textAt(node, path);
	const found = allowed.find((value) => value === text);
	if (text !== null && found === undefined)
		throw invalid(`Value (${text}) for parameter ${path} is invalid. Valid values: ${allowed.join(", ")}`);
	return found ?? null;
}

/** The numbered members of a list, in the order of their numbers. */
export function listAt(node: Node, name: string): Node[] {
	const members = [...(node.children.get(name)?.children ?? [])];
	return members.toSorted(([a], [b]) => Number(a) - Number(b)).map(([, member]) => member);
}

export function textsAt(node: Node, name: string): string[] {
	return listAt(node, name).map((member) => member.value ?? "");
}

/** EC2 checks a dry call like any other, and then says that it would have done it. */
export function refuseDryRun(node: Node): void {
	if (textAt(node, "DryRun") === "true")
		throw new Ec2Refusal("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412);
}
