// From the document of a deployment to the files of this gateway. Pure.
import type { EgressDocument } from "../contract/egress.ts";
import { type Host, readHost } from "../contract/host.ts";
import { type Files, haproxyFiles } from "../egress/haproxy.ts";
import { nftablesRules } from "../egress/nftables.ts";

/** What is the gateway's own and no deployment's. */
export interface Place {
	resolver: string;
	syslogPort: number;
	haproxyUser: string;
	connections: number;
}

/** The parser has refused what is no host. */
function hostOf(text: string): Host[] {
	const reading = readHost(text);
	return reading.ok ? [reading.host] : [];
}

/** Files for a folder, by name: HAProxy's configuration and lists, nftables' rules. */
export function render({ mode, gateways, lists }: EgressDocument, place: Place, folder: string): Files {
	const gateway = {
		...{ mode, gateways, folder, resolver: place.resolver, user: place.haproxyUser, connections: place.connections },
		log: `127.0.0.1:${place.syslogPort}`,
		lists: lists.map(({ name, sources, hosts }) => ({ name, sources, hosts: hosts.flatMap(hostOf) })),
	};
	return { ...haproxyFiles(gateway), "nftables.conf": nftablesRules(gateway) };
}
