// nftables' rules for a gateway: hands what comes from the runners' subnets to HAProxy, routes nothing, and keeps HAProxy itself off what is not
// public (DESIGN 10; AWS's own resolver excepted). Pure.
import { NOT_PUBLIC } from "./addresses.ts";
import { type Gateway, TLS_PORT, WEB_PORT } from "./gateway.ts";

const set = (name: string, elements: readonly string[]) => `\tset ${name} {
		type ipv4_addr
		flags interval
		elements = { ${elements.join(", ")} }
	}`;

/** The whole ruleset of a gateway, which replaces one of the same name. */
export function nftablesRules({ lists, resolver, user }: Gateway): string {
	const [address, port] = resolver.split(":");
	const sources = lists.flatMap((list) => list.sources);
	return `# Rendered by egress/nftables.ts from the tiers' subnets: changes here are lost.
table inet mayfly
delete table inet mayfly
table inet mayfly {
${set("behind", sources)}
${set("not_public", NOT_PUBLIC)}
	chain take {
		type nat hook prerouting priority dstnat; policy accept;
		ip saddr @behind tcp dport 443 redirect to :${TLS_PORT}
		ip saddr @behind tcp dport 80 redirect to :${WEB_PORT}
	}
	chain input {
		type filter hook input priority filter; policy drop;
		iif lo accept
		ct state established,related accept
		# Only what was redirected: nobody asks the proxy itself.
		ip saddr @behind tcp dport { ${WEB_PORT}, ${TLS_PORT} } ct status dnat accept
		ip saddr @behind limit rate 50/second log prefix "mayfly-egress in " reject with icmpx type admin-prohibited
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		limit rate 50/second log prefix "mayfly-egress forward "
		ip saddr @behind reject with icmpx type admin-prohibited
	}
	chain output {
		type filter hook output priority filter; policy accept;
		ct direction reply accept
		meta skuid ${user} ip daddr ${address} udp dport ${port} accept
		meta skuid ${user} ip daddr ${address} tcp dport ${port} accept
		meta skuid ${user} oif lo udp dport 514 accept
		meta skuid ${user} ip daddr @not_public limit rate 50/second log prefix "mayfly-egress out "
		meta skuid ${user} ip daddr @not_public reject with icmpx type admin-prohibited
		meta skuid ${user} meta nfproto ipv6 drop
	}
}
`;
}
