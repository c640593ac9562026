// What GitHub says of the hosts that Actions needs, beside what somebody looked at: added is reported, never admitted. Pure.
import * as v from "valibot";
import { admitsHost, readHost } from "../contract/host.ts";
import type { Group } from "../egress/allowlist.ts";

const Name = v.pipe(
	v.string(),
	v.maxLength(255),
	v.regex(/^(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$/, "not a host's name, nor `*.` and a domain"),
);
const Names = v.pipe(v.array(Name), v.minLength(1, "is empty"), v.maxLength(5000));
/** As far as it is compared; GitHub's own description of it is `api-overview`. */
const Domains = v.object({ actions: Names, actions_inbound: v.object({ full_domains: Names }) });
const Answer = v.object({ domains: Domains });
export const Snapshot = v.object({ about: v.string(), source: v.string(), reviewed: v.string(), domains: Domains });
export type Snapshot = v.InferOutput<typeof Snapshot>;
export type MetaDomains = v.InferOutput<typeof Domains>;

export interface Difference {
	change: "added" | "removed";
	/** Of the answer, in dots. */
	list: string;
	name: string;
	/** The egress group that admits it; null: none does. */
	admittedBy: string | null;
}
export type MetaReading = { ok: true; domains: MetaDomains } | { ok: false; reasons: string[] };

/** Reads an answer of GET /meta; every problem at once. */
export function readMeta(answer: unknown): MetaReading {
	const read = v.safeParse(Answer, answer);
	if (read.success) return { ok: true, domains: read.output.domains };
	return { ok: false, reasons: read.issues.map((issue) => `${v.getDotPath(issue) ?? "the answer"}: ${issue.message}`) };
}

const listsOf = ({ actions, actions_inbound }: MetaDomains) => ({
	"domains.actions": actions,
	"domains.actions_inbound.full_domains": actions_inbound.full_domains,
});

function groupOf(name: string, groups: Record<string, Group>): string | null {
	const found = Object.entries(groups).find(([, { hosts }]) =>
		name.startsWith("*.")
			? hosts.includes(name.toLowerCase())
			: admitsHost(
					hosts.flatMap((text) => {
						const read = readHost(text);
						return read.ok ? [read.host] : [];
					}),
					name,
				),
	);
	return found?.[0] ?? null;
}

/** Every name that came or went, in order. */
export function differences(before: MetaDomains, now: MetaDomains, groups: Record<string, Group>): Difference[] {
	const [old, fresh] = [listsOf(before), listsOf(now)];
	return Object.entries(fresh).flatMap(([list, names]) => {
		const known = old[list as keyof typeof old];
		const missing = (from: string[], among: string[], change: Difference["change"]) =>
			[...new Set(from.filter((name) => !among.includes(name)))]
				.toSorted()
				.map((name): Difference => ({ change, list, name, admittedBy: groupOf(name, groups) }));
		return [...missing(names, known, "added"), ...missing(known, names, "removed")];
	});
}

/** The lines that people read. */
export function differenceLines(found: Difference[], reviewed: string): string[] {
	if (found.length === 0) return [`the same as on ${reviewed}`];
	const count = (change: Difference["change"]) => found.filter((it) => it.change === change).length;
	return [
		...found.map(({ change, list, name, admittedBy }) => {
			const admitted = admittedBy === null ? "no group admits it" : `the group ${admittedBy} admits it`;
			return `${change} ${change === "added" ? "to" : "from"} ${list}: ${name} (${admitted})`;
		}),
		`${count("added")} added, ${count("removed")} removed since ${reviewed}: nothing of it is admitted or cut by this`,
	];
}

/** The text of the snapshot's file, in one order whatever GitHub's is. */
export function snapshotText(snapshot: Snapshot): string {
	const sorted = (names: string[]) => [...new Set(names)].toSorted();
	const { actions, actions_inbound } = snapshot.domains;
	const domains = { actions: sorted(actions), actions_inbound: { full_domains: sorted(actions_inbound.full_domains) } };
	return `${JSON.stringify({ ...snapshot, domains }, null, "\t")}\n`;
}
