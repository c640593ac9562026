// Lines of each kind of log, as their writers write them, under observability.yaml's filters and its saved query.
import { beforeAll, describe, expect, test } from "bun:test";
import { haproxyFiles } from "../../egress/haproxy.ts";
import { dropLine } from "../../gateway/drop-lines.ts";
import { createLog } from "../../gateway/log.ts";
import { firstSight, STEP_MS } from "../../gateway/sight.ts";
import { watchStep } from "../../gateway/watch.ts";
import { RelayError } from "../../poller/relay.ts";
import { runSession } from "../../poller/session.ts";
import { startWorld } from "../poller/poller-world.ts";
import { matches } from "./filter-pattern.ts";
import { answer, type LogEvent } from "./insights.ts";
import { GIVEN, namesOf, propertiesOf } from "./watched.ts";

/** A line as HAProxy writes it by the format that ships. */
function proxyLine(frontend: "tls" | "web", values: Record<string, string>): string {
	const list = { name: "build", sources: ["10.77.12.0/22"], hosts: [] };
	const files = haproxyFiles({
		...{
			mode: "enforce",
			gateways: ["10.77.0.0/23"],
			lists: [list],
			resolver: "169.254.169.253:53",
			log: "127.0.0.1:514",
			folder: "/x",
			user: "haproxy",
			connections: 9,
		},
	});
	const format =
		[...(files["haproxy.cfg"] ?? "").matchAll(/log-format '(.*)'/g)].find(([, it]) => it?.includes(`"${frontend}"`))?.[1] ?? "";
	const scope = frontend === "tls" ? "sess" : "txn";
	const tokens: Record<string, string> = {
		...{ "%Ts.%ms": "1795474174.847", "%ci": "10.77.12.9", "%cp": "49416", "%[fc_dst]": "203.0.113.10", "%[dst]": "203.0.113.11" },
		...{ "%ts": "--", "%U": "745", "%B": "1545", "%Tt": "3", "%ST": "403" },
	};
	const filled = format
		.replace(/%\[var\((?:sess|txn)\.(name|list|act|why|method)\)(?:,json\(utf8s\))?\]/g, (_, name: string) => values[name] ?? "-")
		.replace(/%Ts\.%ms|%\[[a-z_]+\]|%[A-Za-z]+/g, (token) => tokens[token] ?? token);
	expect([scope, filled.includes("%")]).toEqual([scope, false]);
	return filled;
}
const DENIED = { method: "GET", name: "evil.example", list: "build", act: "deny", why: "not-listed" };
const ALLOWED = { method: "GET", name: "github.com", list: "build", act: "allow", why: "listed" };

/** As the Developer Guide of Route 53 shows one. */
const dnsLine = (more: object) =>
	JSON.stringify({
		...{ srcaddr: "10.77.12.9", vpc_id: "vpc-7example", answers: [{ Rdata: "203.0.113.9", Type: "A", Class: "IN" }] },
		...{ query_name: "evil.example.", query_class: "IN", query_type: "A", rcode: "NOERROR", transport: "UDP", version: "1.100000" },
		...{ srcids: { instance: "i-0d15cd0d3example" }, account_id: "111122223333", srcport: "56067", region: "eu-west-1" },
		...{ query_timestamp: "2026-11-24T17:51:55Z", ...more },
	});
const BLOCKED = { firewall_rule_action: "BLOCK", firewall_rule_group_id: "rslvr-frg-1", firewall_domain_list_id: "rslvr-fdl-1" };

describe("what is counted out of logs", () => {
	const patternOf = (name: string) => propertiesOf(name).FilterPattern as string;

	test("a connection that the gateway cut, over TLS or without, and none that it let through", () => {
		for (const frontend of ["tls", "web"] as const) {
			expect(matches(patternOf("EgressDenied"), proxyLine(frontend, DENIED))).toBe(true);
			expect(matches(patternOf("EgressDenied"), proxyLine(frontend, ALLOWED))).toBe(false);
		}
	});

	test("what passes in the mode observe and would be cut in enforce", () => {
		expect(matches(patternOf("EgressNotListed"), proxyLine("tls", { ...DENIED, act: "allow" }))).toBe(true);
		expect(matches(patternOf("EgressNotListed"), proxyLine("tls", ALLOWED))).toBe(false);
	});

	test("a name that DNS Firewall blocked or would have, and no answered one", () => {
		expect(matches(patternOf("DnsBlocked"), dnsLine(BLOCKED))).toBe(true);
		expect(matches(patternOf("DnsBlocked"), dnsLine({ firewall_rule_action: "ALERT" }))).toBe(true);
		expect(matches(patternOf("DnsBlocked"), dnsLine({}))).toBe(false);
	});

	test("a lease that the relay did not give, as the session writes it", async () => {
		const lines: string[] = [];
		const write = (fields: object, msg: string) => void lines.push(JSON.stringify({ ...fields, msg }));
		let now = 0;
		const sleep = async (ms: number) => {
			now += ms;
		};
		const gone = () => Promise.reject(new RelayError("/lease", 502, "gone"));
		const ports = {
			...{ relay: { lease: gone }, log: { info: write, warn: write, error: write }, metrics: { flush: () => {} } },
			...{ config: { owners: [] }, now: () => now, endsAt: 50_000, sleep },
		};
		expect(await runSession(ports as never, "s", 60_000)).toBe("time is up");
		expect(lines.length).toBeGreaterThanOrEqual(propertiesOf("RelaySilent").Threshold);
		expect(lines.filter((line) => !matches(patternOf("NoLease"), line))).toEqual([]);
		expect(matches(patternOf("NoLease"), '{"msg":"launched"}')).toBe(false);
	});

	test("what nftables dropped, which never had a name", () => {
		const kernel = "mayfly-egress forward IN=ens5 OUT=ens5 SRC=10.77.12.9 DST=203.0.113.20 LEN=60 PROTO=TCP SPT=51702 DPT=8443 SYN";
		const line = dropLine(kernel, 1_795_474_174_847) ?? "";
		expect(matches(patternOf("EgressDenied"), line)).toBe(true);
		expect(matches(patternOf("EgressDenied"), dropLine(kernel.replace("forward", "open"), 0) ?? "")).toBe(false);
	});

	test("a route that another zone's gateway took, or could not, and none that comes home; lists that were refused", async () => {
		const lines: string[] = [];
		const log = createLog({ zone: "eu-west-1a", instanceId: "i-01" }, () => 0, [(line) => void lines.push(line)]);
		const peers = ["i-01", "i-02"].map((instanceId, at) => ({
			...{ instanceId, zone: `eu-west-1${"ab"[at]}`, privateIp: `127.0.0.${at + 1}`, launchedAt: 0 },
		}));
		let now = 0;
		const fetch = async (url: string) => (url.includes("127.0.0.1") ? new Response("") : Promise.reject(new Error("gone")));
		const routes: Record<string, string> = { "eu-west-1a": "i-01", "eu-west-1b": "i-02" };
		const lead = async (zone: string, to: string) => void Object.assign(routes, { [zone]: to });
		const ports = { ec2: { tell: async () => ({ peers, routes: { ...routes } }), lead }, fetch, log, now: () => now, hasLists: () => true };
		let sight = firstSight("i-01", "eu-west-1a", ["eu-west-1a", "eu-west-1b"]);
		for (; now < 60_000; now += STEP_MS) sight = await watchStep(ports as never, sight);
		expect(routes["eu-west-1b"]).toBe("i-01");
		const counted = lines.filter((line) => matches(patternOf("RouteTakenOver"), line));
		expect(counted.map((line) => (JSON.parse(line) as { route: string }).route)).toEqual(["eu-west-1b"]);
		log("moved", { route: "eu-west-1a", from: "i-02", to: "i-01", reason: "back home: its own gateway is well again" });
		expect(matches(patternOf("RouteTakenOver"), lines.at(-1) ?? "")).toBe(false);
		log("lists-refused", { reason: "no" });
		expect(matches(patternOf("ListsRefused"), lines.at(-1) ?? "")).toBe(true);
	});

	test("nothing in a line that is no JSON", () => {
		const patterns = namesOf("AWS::Logs::MetricFilter").map(patternOf);
		expect(patterns.map((pattern) => matches(pattern, 'act = "deny" took over BLOCK no lease'))).toEqual(patterns.map(() => false));
	});
});

describe("the saved query", () => {
	const query = propertiesOf("OfOneMachine");
	let events: LogEvent[] = [];
	let machine = { instanceId: "", privateIp: "" };
	let jobId = 0;

	beforeAll(async () => {
		const world = await startWorld();
		const [item, other] = world.queue({ runsOn: ["mayfly=1/runner=small"] }, { runsOn: ["mayfly=1/runner=small"] });
		if (!item || !other) throw new Error("nothing is queued");
		world.relay.push(item, other);
		const [end] = await world.relay.ends(item.workId);
		await world.relay.ends(other.workId);
		while (world.log.filter(({ msg }) => msg === "launched").length < 2) await Bun.sleep(20);
		if (end?.outcome !== "launched") throw new Error(`not launched: ${JSON.stringify(end)}`);
		machine = end;
		jobId = item.job.id;
		const at = Date.now();
		const ip = machine.privateIp;
		const own = (line: string) => line.replaceAll("10.77.12.9", ip);
		const flow = (from: string, to: string) => `2 111122223333 eni-0a1 ${from} ${to} 49416 443 6 20 4249 1795474174 1795474234 ACCEPT OK`;
		events = [
			...world.log.map((line) => ({ at: Number(line.time ?? at), group: GIVEN.PollerLogGroup, message: JSON.stringify(line) })),
			{ at: at + 4000, group: GIVEN.ProxyLogGroup, message: own(proxyLine("tls", DENIED)) },
			{ at: at + 2000, group: GIVEN.DnsLogGroup, message: dnsLine({ ...BLOCKED, srcids: { instance: machine.instanceId }, srcaddr: ip }) },
			{ at: at + 3000, group: GIVEN.FlowLogGroup, message: flow(ip, "203.0.113.10") },
			{ at: at + 5000, group: GIVEN.FlowLogGroup, message: flow(`${ip}9`, "203.0.113.10") },
			{ at: at + 5000, group: GIVEN.ProxyLogGroup, message: proxyLine("tls", DENIED) },
			{ at: at + 5000, group: GIVEN.DnsLogGroup, message: dnsLine({ srcaddr: `${ip}9` }) },
		];
		await world.stop();
	}, 60_000);

	test("asks the logs of the poller, the gateways, the resolver and the flows", () => {
		expect(query.LogGroupNames).toEqual([GIVEN.PollerLogGroup, GIVEN.ProxyLogGroup, GIVEN.DnsLogGroup, GIVEN.FlowLogGroup]);
		expect(query.Parameters.map(({ Name }: { Name: string }) => Name)).toEqual(["instance", "ip"]);
		expect(query.QueryString.length).toBeLessThan(10_000);
	});

	test("shows what all of them say of one machine, in order of time and in the same columns, and of no other", () => {
		const rows = answer(query.QueryString, { instance: machine.instanceId, ip: machine.privateIp }, events);
		const launched = rows.findIndex(({ event }) => event === "launched");
		expect(rows[launched]).toMatchObject({ source: "poller", jobId, about: expect.stringContaining(machine.instanceId) });
		expect(rows.slice(-3).map(({ source, event, about }) => [source, event, about])).toEqual([
			["dns", "BLOCK", "evil.example."],
			["flow", "ACCEPT", "203.0.113.10"],
			["proxy", "deny", "evil.example"],
		]);
		expect(rows.at(-1)).toMatchObject({ because: "not-listed", detail: "203.0.113.11", bytes: 1545 });
		expect(rows.filter(({ source }) => source === "poller").filter((row) => row.jobId !== jobId)).toEqual([]);
	});
});
