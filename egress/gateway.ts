// What a gateway is told: who is behind it, which list each goes by, how strictly. Types only.
import type { EgressMode } from "../contract/egress.ts";
import type { Host } from "../contract/host.ts";

export interface List {
	/** A tier's name, or `poller`. */
	name: string;
	/** Subnets whose machines go by it, as CIDR. */
	sources: string[];
	hosts: Host[];
}

export interface Gateway {
	mode: EgressMode;
	lists: List[];
	/** Subnets of this and the other zones' gateways, as CIDR. */
	gateways: string[];
	/** Whom the gateway asks for addresses, `host:port`; in a VPC 169.254.169.253:53, which DNS Firewall answers for. */
	resolver: string;
	/** Where HAProxy's log goes, as its `log` directive has it. */
	log: string;
	/** Folder of the lists on the gateway. */
	folder: string;
	/** User that HAProxy runs as. */
	user: string;
	/** At once, all machines together; each takes two and a half file descriptors. */
	connections: number;
}

/** At once, of one machine. A job has some dozens; one that opens all it can shall not shut out the other tiers and the poller. */
export const MOST_OF_ONE = 2000;

export const TLS_PORT = 3130;
export const WEB_PORT = 3129;
/** Where the other zones' gateways ask whether this one is well, and what for. */
export const HEALTH_PORT = 3128;
export const HEALTH_PATH = "/healthy";
