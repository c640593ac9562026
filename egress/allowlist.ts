// From what a tier's `egress` names, groups and hosts, to the list that its gateway goes by. Pure.
import { type Host, readHost } from "../contract/host.ts";

export interface Group {
	about: string;
	/** Where its hosts come from, and when somebody looked. */
	source: string;
	reviewed: string;
	hosts: string[];
}
export interface Asked {
	groups: string[];
	hosts: string[];
}
export type Allowlist = { ok: true; hosts: Host[] } | { ok: false; problems: { path: string; reason: string }[] };

/** All hosts of the groups and the tier's own, each once, in order; or every problem with its path. */
export function allowlistOf({ groups, hosts }: Asked, known: Record<string, Group>): Allowlist {
	const problems: { path: string; reason: string }[] = [];
	const texts = [
		...groups.flatMap((name, at) => {
			const group = Object.hasOwn(known, name) ? known[name] : undefined;
			if (!group) problems.push({ path: `groups.${at}`, reason: `there is no group ${name}: ${Object.keys(known).join(", ")}` });
			return (group?.hosts ?? []).map((text) => ({ text, path: `groups.${at}` }));
		}),
		...hosts.map((text, at) => ({ text, path: `hosts.${at}` })),
	];
	const read = texts.flatMap(({ text, path }) => {
		const reading = readHost(text);
		if (!reading.ok) problems.push({ path, reason: reading.reason });
		return reading.ok ? [reading.host] : [];
	});
	return problems.length > 0 ? { ok: false, problems } : { ok: true, hosts: unique(read) };
}

const textOf = ({ name, below }: Host) => (below ? `*.${name}` : name);

function unique(hosts: readonly Host[]): Host[] {
	return [...new Map(hosts.map((host) => [textOf(host), host])).values()].toSorted((one, other) => (textOf(one) < textOf(other) ? -1 : 1));
}

/** What DNS Firewall lets anybody resolve: all lists together (Route 53 writes a wildcard as `*.name`). */
export function unionOf(lists: readonly (readonly Host[])[]): string[] {
	return unique(lists.flat()).map(textOf);
}
