// nftables' rules for a gateway: hands what comes from the runners' subnets to HAProxy, routes nothing unless the mode is `open`, and keeps HAProxy
// itself off what is not public (DESIGN 10; AWS's own resolver excepted). Pure.
import { NOT_PUBLIC } from "./addresses.ts";
import { type Gateway, HEALTH_PORT, MOST_OF_ONE, TLS_PORT, WEB_PORT } from "./gateway.ts";

/** nft has no word for no elements. */
const set = (name: string, elements: readonly string[]) => `\tset ${name} {
		type ipv4_addr
		flags interval${elements.length > 0 ? `\n\t\telements = { ${elements.join(", ")} }` : ""}
	}`;

/** Each line names where it happened; the gateway's program ships those that begin so. */
export const LOG_PREFIX = "mayfly-egress ";
const log = (place: string) => `limit rate 50/second log prefix "${LOG_PREFIX}${place} "`;
const REJECT = "reject with icmpx type admin-prohibited";

const handOver = `	chain take {
		type nat hook prerouting priority dstnat; policy accept;
		ip saddr @behind tcp dport 443 redirect to :${TLS_PORT}
		ip saddr @behind tcp dport 80 redirect to :${WEB_PORT}
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		${log("forward")}
		ip saddr @behind ${REJECT}
	}`;

/** What is behind reaches the world and nothing else, by the gateway's own address; each connection is in the log. */
const route = `	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		ip daddr @not_public ${log("forward")}
		ip saddr @behind ip daddr @not_public ${REJECT}
		ip saddr @behind ${log("open")}
		ip saddr @behind accept
		${log("forward")}
	}
	chain leave {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr @behind masquerade
	}`;

/**
 * Before anything is handed over: what is refused here costs HAProxy nothing, and its line has the address that was asked for. Resets, since the
 * kernel says by ICMP only now and then that something is refused.
 */
const perMachine = `	set many {
		type ipv4_addr
		flags dynamic
		size 65535
	}
	chain enter {
		type filter hook prerouting priority mangle; policy accept;
		ct state new ip saddr @behind add @many { ip saddr ct count over ${MOST_OF_ONE} } jump too_many
	}
	chain too_many {
		${log("many")}
		meta l4proto tcp reject with tcp reset
		${REJECT}
	}`;

/** The whole ruleset of a gateway, which replaces one of the same name. */
export function nftablesRules({ mode, lists, gateways, resolver, user }: Gateway): string {
	const [address, port] = resolver.split(":");
	const sources = lists.flatMap((list) => list.sources);
	return `# Rendered by egress/nftables.ts from the tiers' subnets: changes here are lost.
table inet mayfly
delete table inet mayfly
table inet mayfly {
${set("behind", sources)}
${set("gateways", gateways)}
${set("not_public", NOT_PUBLIC)}
${perMachine}
${mode === "open" ? route : handOver}
	chain input {
		type filter hook input priority filter; policy drop;
		iif lo accept
		ct state established,related accept
		# Only what was redirected: nobody asks the proxy itself.
		ip saddr @behind tcp dport { ${WEB_PORT}, ${TLS_PORT} } ct status dnat accept
		ip saddr @gateways tcp dport ${HEALTH_PORT} accept
		ip saddr @behind ${log("in")} ${REJECT}
	}
	chain output {
		type filter hook output priority filter; policy accept;
		ct direction reply accept
		meta skuid ${user} ip daddr ${address} udp dport ${port} accept
		meta skuid ${user} ip daddr ${address} tcp dport ${port} accept
		meta skuid ${user} oif lo udp dport 514 accept
		meta skuid ${user} ip daddr @not_public ${log("out")}
		meta skuid ${user} ip daddr @not_public ${REJECT}
		meta skuid ${user} meta nfproto ipv6 ${log("out")}
		meta skuid ${user} meta nfproto ipv6 ${REJECT}
	}
}
`;
}
