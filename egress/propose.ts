// From a gateway's log to the hosts that a tier's list lacks. Pure.
import { readHost } from "../contract/host.ts";

export interface Wanted {
	name: string;
	connections: number;
	/** Epoch ms of the last of them. */
	lastAt: number;
	/** Why no list can admit it; null: it can. */
	problem: string | null;
}
/** By list, which has the tier's name; the most wanted first. */
export type Proposal = Record<string, Wanted[]>;

interface Line {
	list: string;
	name: string;
	at: number;
}

/** A line of the gateway's log, whatever its way here put before and behind it; null for any other. */
function fieldsOf(text: string): Record<string, unknown> | null {
	try {
		const read: unknown = JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1));
		return typeof read === "object" && read !== null && "gateway" in read ? { ...read } : null;
	} catch {
		return null;
	}
}

export function isGatewaysLine(text: string): boolean {
	return fieldsOf(text) !== null;
}

/** A line about a name that is not listed. */
function readLine(text: string): Line | null {
	const { gateway, why, list, name, at } = fieldsOf(text) ?? {};
	if ((gateway !== "tls" && gateway !== "web") || why !== "not-listed") return null;
	return typeof list === "string" && typeof name === "string" ? { list, name: name.toLowerCase(), at: Number(at) * 1000 || 0 } : null;
}

/** What an allowlist would have to admit so that all that was asked for goes through. `lines` may be of several gateways and modes. */
export function propose(lines: Iterable<string>): Proposal {
	const seen = new Map<string, Wanted & { list: string }>();
	for (const text of lines) {
		const line = readLine(text);
		if (line === null) continue;
		const key = `${line.list} ${line.name}`;
		const reading = readHost(line.name);
		const before = seen.get(key) ?? {
			list: line.list,
			name: line.name,
			connections: 0,
			lastAt: 0,
			problem: reading.ok ? null : reading.reason,
		};
		seen.set(key, { ...before, connections: before.connections + 1, lastAt: Math.max(before.lastAt, line.at) });
	}
	const order = (one: Wanted, other: Wanted) => other.connections - one.connections || (one.name < other.name ? -1 : 1);
	const lists = Map.groupBy(seen.values(), ({ list }) => list);
	return Object.fromEntries(
		[...lists]
			.toSorted(([one], [other]) => (one < other ? -1 : 1))
			.map(([list, all]) => [list, all.map(({ list: _, ...it }) => it).toSorted(order)]),
	);
}

const day = (at: number) => (at === 0 ? "an unknown day" : new Date(at).toISOString().slice(0, 10));

/** The proposal as lines to be read, judged and put into mayfly.yml. */
export function proposalYaml(proposal: Proposal): string {
	const lists = Object.entries(proposal);
	if (lists.length === 0) return "# Nothing was asked for that is not listed.\n";
	const lines = lists.flatMap(([list, all]) => [
		`  ${list}:`,
		"    egress:",
		"      hosts:",
		...all.map(({ name, connections, lastAt, problem }) => {
			const seen = `${connections} ${connections === 1 ? "connection" : "connections"}, the last on ${day(lastAt)}`;
			return problem === null ? `        - ${name} # ${seen}` : `        # ${JSON.stringify(name)}: ${problem}; ${seen}`;
		}),
	]);
	return [
		"# What was asked for and is not listed. Each line lets machines of its tier send to that host whatever they hold: take what you know.",
		"tiers:",
		...lines,
		"",
	].join("\n");
}
