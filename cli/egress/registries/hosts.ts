// From what clients say to lines for mayfly.yml: hosts, each once, with who wants it; or why no list can have it. Pure.
import { readHost } from "../../../contract/host.ts";
import type { Answer } from "./client.ts";

export interface RegistryHost {
	host: string;
	/** Clients and their settings. */
	for: string[];
	port: number;
	/** Why no list can admit it; null: it can. */
	problem: string | null;
}
export interface Registries {
	tier: string;
	hosts: RegistryHost[];
	notes: { client: string; note: string }[];
	/** Clients that are not installed here. */
	missing: string[];
}

const PORTS = [443, 80];
const PORT_OF: Record<string, number> = { "https:": 443, "http:": 80 };

/** Names and passwords in a URL are nobody's business: only its host is told. */
function readUrl(text: string): { host: string; port: number; problem: string | null } {
	// A template of Cargo's or a bare name is as good as a URL here.
	const written = /^[a-z][a-z0-9+.-]*:/i.test(text) && !/^[^/]+:[0-9]+(\/|$)/.test(text) ? text : `https://${text}`;
	const url = URL.parse(written.replace(/[{}]/g, "_"));
	if (url === null) return { host: "(unreadable)", port: 443, problem: "is no URL" };
	const standard = PORT_OF[url.protocol];
	if (standard === undefined)
		return {
			host: url.hostname || url.protocol,
			port: 0,
			problem: `is asked for by ${url.protocol.slice(0, -1)}, which the gateway does not pass`,
		};
	const port = url.port === "" ? standard : Number(url.port);
	const read = readHost(url.hostname);
	if (!read.ok) return { host: url.hostname, port, problem: read.reason };
	if (read.host.below) return { host: url.hostname, port, problem: "is no single host" };
	return {
		host: read.host.name,
		port,
		problem: PORTS.includes(port) ? null : `is asked for on port ${port}: the gateway passes 443 and 80`,
	};
}

export function registriesOf(tier: string, answers: [client: string, answer: Answer | null][]): Registries {
	const hosts = new Map<string, RegistryHost>();
	for (const [client, answer] of answers)
		for (const { url, by } of answer?.urls ?? []) {
			const { host, port, problem } = readUrl(url);
			const key = `${host} ${problem}`;
			const before = hosts.get(key) ?? { host, for: [], port, problem };
			hosts.set(key, { ...before, for: [...new Set([...before.for, `${client} ${by}`])] });
		}
	return {
		tier,
		hosts: [...hosts.values()].toSorted((one, other) => (one.host < other.host ? -1 : Number(one.host > other.host))),
		notes: answers.flatMap(([client, answer]) => (answer?.notes ?? []).map((note) => ({ client, note }))),
		missing: answers.flatMap(([client, answer]) => (answer === null ? [client] : [])),
	};
}

/** What a setting holds is somebody's text: what would end a comment or obey a terminal is written out. */
const printable = (text: string) =>
	text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (sign) => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);

/** Lines to be read, judged and put into mayfly.yml. */
export function registriesYaml({ tier, hosts, notes, missing }: Registries): string {
	const admitted = hosts.filter(({ problem }) => problem === null);
	const lines = [
		"# Hosts that the clients of this machine are configured to ask. Each line lets machines of the tier send to that host whatever they hold:",
		"# take what you know.",
		"tiers:",
		`  ${tier}:`,
		"    egress:",
		`      hosts:${admitted.length === 0 ? " []" : ""}`,
		...hosts.map(({ host, for: wanted, problem }) =>
			problem === null ? `        - ${host} # ${wanted.join(", ")}` : `        # ${JSON.stringify(host)}: ${problem}; ${wanted.join(", ")}`,
		),
		...notes.map(({ client, note }) => `# ${client}: ${note}`),
		...missing.map((client) => `# ${client} is not installed here: nothing is known of it`),
	];
	return `${lines.map(printable).join("\n")}\n`;
}
