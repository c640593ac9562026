// What a gateway is told: who is behind it, which list each goes by, how strictly. Types only.
import type { Host } from "../contract/host.ts";

/** `enforce`: what is not listed is cut. `observe`: it goes through, and the log says that it would not have. */
export type Mode = "observe" | "enforce";

export interface List {
	/** A tier's name, or `poller`. */
	name: string;
	/** Subnets whose machines go by it, as CIDR. */
	sources: string[];
	hosts: Host[];
}

export interface Gateway {
	mode: Mode;
	lists: List[];
	/** Whom the gateway asks for addresses, `host:port`; in a VPC 169.254.169.253:53, which DNS Firewall answers for. */
	resolver: string;
	/** Where HAProxy's log goes, as its `log` directive has it. */
	log: string;
	/** Folder of the lists on the gateway. */
	folder: string;
	/** User that HAProxy runs as. */
	user: string;
	/** At once; each takes two and a half file descriptors. */
	connections: number;
}

export const TLS_PORT = 3130;
export const WEB_PORT = 3129;
