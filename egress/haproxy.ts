// HAProxy's configuration for a gateway: reads the name that a client asks for, checks it against the list of the client's subnet, resolves it
// itself and connects there, so that a forged name leads to the real host (DESIGN 10; the directives are HAProxy 2.6's and later ones'). Pure.
import { NOT_PUBLIC } from "./addresses.ts";
import { type Gateway, HEALTH_PATH, HEALTH_PORT, type List, TLS_PORT, WEB_PORT } from "./gateway.ts";

/** Text by file name below the gateway's folder. */
export type Files = Record<string, string>;

const lines = (texts: readonly string[]) => texts.map((text) => `${text}\n`).join("");

/** One file of names and one of domains for each list: HAProxy matches the ones whole, the others as ends. */
function listFiles(lists: readonly List[]): Files {
	return Object.fromEntries(
		lists.flatMap(({ name, hosts }) => [
			[`lists/${name}.names`, lines(hosts.filter(({ below }) => !below).map((host) => host.name))],
			[`lists/${name}.domains`, lines(hosts.filter(({ below }) => below).map((host) => `.${host.name}`))],
		]),
	);
}

/** `asked` is the variable that holds the name. */
function acls({ lists, folder }: Gateway, asked: string): string[] {
	return lists.flatMap(({ name, sources }) => [
		`acl from_${name} src ${sources.join(" ")}`,
		`acl listed_${name} var(${asked}) -m str -f ${folder}/lists/${name}.names`,
		`acl listed_${name} var(${asked}) -m end -f ${folder}/lists/${name}.domains`,
	]);
}

/** A name of other characters or of more than DNS allows is no name; it is not written to the log either, whose lines have an end. */
const NAME = "^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$";
const METHOD = "^[A-Z]{1,16}$";

/** `ipv4` of do-resolve is a preference: a name with nothing but an AAAA record gives that, which no range of addresses.ts speaks of. */
const isIpv4 = (address: string) => `{ var(${address}),ipmask(32) -m found }`;

/** The kernel moves bytes from one socket to the other; by copying it took three times the CPU (docs/benchmarks.md). Both ways: jobs send much as well. */
const SPLICE = ["option splice-request", "option splice-response"];
/** The others' questions come to the same process: they find room however many connections there are for jobs, most of which are TLS. */
const HEALTH_ROOM = 64;
const roomOf = (connections: number) => ({ tls: Math.ceil(connections * 0.75), web: Math.ceil(connections * 0.25) });

/** So much in one go, and so many at once: 64 MiB in all, which is what the kernel lets one user have (pipe(7), pipe-user-pages-soft). */
const PIPES = ["tune.pipesize 524288", "maxpipes 128"];

function tls(gateway: Gateway): string[] {
	const { lists, mode } = gateway;
	const reject = (why: string, when: string) => [
		`tcp-request content set-var(sess.why) str(${why}) if ${when}`,
		`tcp-request content reject if ${when}`,
	];
	return [
		"mode tcp",
		`bind :${TLS_PORT}`,
		`maxconn ${roomOf(gateway.connections).tls}`,
		...SPLICE,
		`log-format '{"at":"%Ts.%ms","gateway":"tls","src":"%ci","port":%cp,"orig_dst":"%[fc_dst]","to":"%[dst]","name":"%[var(sess.name),json(utf8s)]","list":"%[var(sess.list)]","act":"%[var(sess.act)]","why":"%[var(sess.why)]","state":"%ts","in":%U,"out":%B,"ms":%Tt}'`,
		"tcp-request inspect-delay 3s",
		...acls(gateway, "sess.name"),
		"acl hello req.ssl_hello_type 1",
		`acl a_name var(sess.asked) -m reg ${NAME}`,
		"acl listed var(sess.listed) -m bool",
		`acl not_public var(sess.ip) -m ip ${NOT_PUBLIC.join(" ")}`,
		"tcp-request content set-var(sess.act) str(deny)",
		"tcp-request content set-var(sess.why) str(listed)",
		"tcp-request content set-var(sess.list) str(none)",
		...lists.map(({ name }) => `tcp-request content set-var(sess.list) str(${name}) if from_${name}`),
		"tcp-request content set-var(sess.asked) req.ssl_sni,lower if hello",
		"tcp-request content set-var(sess.name) var(sess.asked) if hello a_name",
		// Waits for the whole hello: what is not there when the delay is over, or is no hello, has no name.
		...reject("no-name", "hello !a_name"),
		...lists.map(({ name }) => `tcp-request content set-var(sess.listed) bool(true) if hello from_${name} listed_${name}`),
		...(mode === "enforce"
			? reject("not-listed", "hello !listed")
			: [
					"tcp-request content set-var(sess.why) str(not-listed) if hello !listed",
					...reject("no-list", "hello { var(sess.list) -m str none }"),
				]),
		"tcp-request content do-resolve(sess.ip,names,ipv4) var(sess.name) if hello",
		...reject("no-address", "hello !{ var(sess.ip) -m found }"),
		...reject("not-public", `hello !${isIpv4("sess.ip")}`),
		...reject("not-public", "hello not_public"),
		"tcp-request content set-dst var(sess.ip) if hello",
		"tcp-request content set-var(sess.act) str(allow) if hello",
		"tcp-request content accept if hello",
		"tcp-request content set-var(sess.why) str(no-tls) if WAIT_END",
		"tcp-request content reject if WAIT_END",
		"default_backend tls",
	];
}

function web(gateway: Gateway): string[] {
	const { lists, mode } = gateway;
	const deny = (why: string, when: string, status = 403) => [
		`http-request set-var(txn.why) str(${why}) if ${when}`,
		`http-request deny deny_status ${status} if ${when}`,
	];
	return [
		"mode http",
		`bind :${WEB_PORT}`,
		`maxconn ${roomOf(gateway.connections).web}`,
		"timeout http-request 10s",
		`log-format '{"at":"%Ts.%ms","gateway":"web","src":"%ci","port":%cp,"orig_dst":"%[fc_dst]","to":"%[dst]","name":"%[var(txn.name),json(utf8s)]","list":"%[var(txn.list)]","act":"%[var(txn.act)]","why":"%[var(txn.why)]","method":"%[var(txn.method)]","status":%ST,"state":"%ts","in":%U,"out":%B,"ms":%Tt}'`,
		...acls(gateway, "txn.name"),
		`acl a_name var(txn.asked) -m reg ${NAME}`,
		"acl listed var(txn.listed) -m bool",
		`acl not_public var(txn.ip) -m ip ${NOT_PUBLIC.join(" ")}`,
		"http-request set-var(txn.act) str(deny)",
		"http-request set-var(txn.why) str(listed)",
		"http-request set-var(txn.list) str(none)",
		`http-request set-var(txn.method) method if { method -m reg ${METHOD} }`,
		...lists.map(({ name }) => `http-request set-var(txn.list) str(${name}) if from_${name}`),
		// This is no proxy that anybody may ask for a tunnel.
		...deny("tunnel", "METH_CONNECT"),
		"http-request set-var(txn.asked) req.hdr(host),field(1,:),lower",
		"http-request set-var(txn.name) var(txn.asked) if a_name",
		...deny("no-name", "!a_name"),
		...deny("no-name", "{ req.hdr_cnt(host) gt 1 }"),
		...lists.map(({ name }) => `http-request set-var(txn.listed) bool(true) if from_${name} listed_${name}`),
		...(mode === "enforce"
			? deny("not-listed", "!listed")
			: ["http-request set-var(txn.why) str(not-listed) if !listed", ...deny("no-list", "{ var(txn.list) -m str none }")]),
		"http-request do-resolve(txn.ip,names,ipv4) var(txn.name)",
		...deny("no-address", "!{ var(txn.ip) -m found }", 502),
		...deny("not-public", `!${isIpv4("txn.ip")}`),
		...deny("not-public", "not_public"),
		"http-request set-dst var(txn.ip)",
		"http-request set-var(txn.act) str(allow)",
		"default_backend web",
	];
}

const section = (head: string, body: readonly string[]) => [head, ...body.map((line) => `  ${line}`), ""];

/** What reads names and resolves them itself. An open gateway has none of it: it routes. */
function proxy(gateway: Gateway): string[] {
	return [
		...section("resolvers names", [
			`nameserver vpc ${gateway.resolver}`,
			"resolve_retries 2",
			"timeout resolve 2s",
			"timeout retry 1s",
			// An answer is kept no longer than a name that moves can bear.
			"hold valid 10s",
			"accepted_payload_size 4096",
		]),
		...section("frontend tls", tls(gateway)),
		...section("backend tls", ["mode tcp", ...SPLICE, "server asked 0.0.0.0:443"]),
		...section("frontend web", web(gateway)),
		// Each request to the address that was resolved for it.
		...section("backend web", ["mode http", "http-reuse never", "server asked 0.0.0.0:80"]),
	];
}

/** The configuration and its lists. A reload takes new lists without cutting what is open. */
export function haproxyFiles(gateway: Gateway): Files {
	const { mode, log, user, connections, lists } = gateway;
	const most = `maxconn ${connections + HEALTH_ROOM}`;
	const text = [
		"# Rendered by egress/haproxy.ts from the tiers' lists: changes here are lost.",
		...section("global", [`log ${log} len 4096 local0 info`, most, ...PIPES, `user ${user}`, `group ${user}`]),
		...section("defaults", ["log global", "timeout connect 5s", "timeout client 1h", "timeout server 1h", "timeout client-fin 30s"]),
		// Answers by itself as long as there is a HAProxy; anything else is refused.
		...section("frontend health", ["mode http", `bind :${HEALTH_PORT}`, "no log", `monitor-uri ${HEALTH_PATH}`, "http-request deny"]),
		...(mode === "open" ? [] : proxy(gateway)),
	];
	return { "haproxy.cfg": lines(text).replace(/\n+$/, "\n"), ...(mode === "open" ? {} : listFiles(lists)) };
}
