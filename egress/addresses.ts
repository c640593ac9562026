// Address ranges that a name must never lead to, and that the gateway never connects to: a job could otherwise reach the network around it, the
// gateway itself or its metadata service through an admitted name (DESIGN 10). IANA's special-purpose registry, RFC 6890. Data only.

export const NOT_PUBLIC = [
	...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24"],
	...["192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
];
