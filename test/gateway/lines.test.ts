// What a gateway makes of lines: the kernel's to JSON, all of them to batches that CloudWatch takes, and what becomes of those that it does not.
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createBatches } from "../../gateway/batches.ts";
import { dropLine } from "../../gateway/drop-lines.ts";
import { createLogs } from "../../gateway/logs.ts";
import { ship } from "../../gateway/ship.ts";
import "../seed.ts";

const NOW = 1_795_953_835_594;

describe("a line of the kernel's", () => {
	test("of a rule of ours is told like HAProxy's lines", () => {
		const record =
			"4,344,818281218,-;mayfly-egress forward IN=eth0 OUT=out0 MAC=06:00 SRC=10.77.16.10 DST=11.0.0.20 LEN=60 TTL=63 ID=1 DF PROTO=TCP SPT=50806 DPT=8443 WINDOW=64240 SYN URGP=0";
		expect(JSON.parse(dropLine(record, NOW) ?? "")).toEqual({
			...{ at: "1795953835.594", gateway: "nft", src: "10.77.16.10", port: 50806, orig_dst: "11.0.0.20", dport: 8443, proto: "tcp" },
			...{ iif: "eth0", oif: "out0", act: "deny", why: "not-routed" },
		});
	});

	test("without ports has none, and that of an open gateway is no denial", () => {
		const many = "4,1,2,-;mayfly-egress many IN=eth0 OUT= SRC=10.77.16.10 DST=1.1.1.1 PROTO=TCP SPT=40000 DPT=443";
		expect(JSON.parse(dropLine(many, NOW) ?? "")).toMatchObject({ act: "deny", why: "too-many", orig_dst: "1.1.1.1", dport: 443 });
		const ping = JSON.parse(dropLine("5,1,2,-;mayfly-egress in IN=eth0 OUT= SRC=10.77.16.10 DST=10.77.0.10 PROTO=ICMP TYPE=8", NOW) ?? "");
		expect(ping).toMatchObject({ act: "deny", why: "not-served", port: null, dport: null, proto: "icmp", oif: null });
		expect(JSON.parse(dropLine("5,1,2,-;mayfly-egress open IN=eth0 OUT=eth0 SRC=10.77.16.10 DST=1.1.1.1", NOW) ?? "")).toMatchObject({
			...{ act: "allow", why: "open" },
		});
	});

	test("of anybody else says nothing, whatever it is", () => {
		for (const record of ["", "4,344,1,-;EXT4-fs mounted", "4,3,1,-;mayfly-egress elsewhere IN=eth0", "mayfly-egress "])
			expect(dropLine(record, NOW)).toBeNull();
		fc.assert(fc.property(fc.string(), (text) => void dropLine(`mayfly-egress in ${text}`, NOW)));
	});
});

describe("batches", () => {
	test("are what one request may hold, in order of time, and lose nothing", () => {
		const lines = fc.array(fc.record({ size: fc.integer({ min: 1, max: 9000 }), at: fc.integer({ min: 0, max: 200_000_000 }) }), {
			maxLength: 400,
		});
		fc.assert(
			fc.property(lines, (all) => {
				const batches = createBatches(64 * 1024 * 1024);
				for (const { size, at } of all) batches.add("x".repeat(size), at);
				let seen = 0;
				while (batches.size() > 0) {
					const events = batches.next();
					expect(events.length).toBeGreaterThan(0);
					const times = events.map(({ timestamp }) => timestamp);
					expect(times).toEqual(times.toSorted((one, other) => one - other));
					expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThan(86_400_000);
					expect(events.reduce((sum, { message }) => sum + message.length + 26, 0)).toBeLessThanOrEqual(1_048_576);
					seen += events.length;
					batches.settle(events, true);
				}
				expect([seen, batches.takeLost()]).toEqual([all.length, 0]);
			}),
			{ numRuns: 30 },
		);
	});

	test("hold ten thousand events at most", () => {
		const batches = createBatches(64 * 1024 * 1024);
		for (let at = 0; at < 12_000; at++) batches.add("x", at);
		expect(batches.next()).toHaveLength(10_000);
	});

	test("never take more memory than they may: what is too much is counted, once", () => {
		const batches = createBatches(1000);
		for (let at = 0; at < 100; at++) batches.add("x".repeat(74), at);
		expect([batches.size(), batches.takeLost(), batches.takeLost()]).toEqual([10, 90, 0]);
		batches.settle(batches.next(), true);
		batches.add("x", 1);
		expect([batches.size(), batches.takeLost()]).toEqual([1, 0]);
	});
});

describe("shipping", () => {
	interface Asked {
		target: string;
		body: { logGroupName: string; logStreamName: string; logEvents?: { timestamp: number; message: string }[] };
		authorization: string;
	}
	const asked: Asked[] = [];
	let answers: (target: string) => Response = () => Response.json({});
	const server = Bun.serve({
		...{ hostname: "127.0.0.1", port: 0 },
		async fetch(request) {
			const target = request.headers.get("x-amz-target")?.replace("Logs_20140328.", "") ?? "";
			asked.push({ target, body: (await request.json()) as Asked["body"], authorization: request.headers.get("authorization") ?? "" });
			return answers(target);
		},
	});
	const access = async () => ({ region: "eu-west-1", credentials: { accessKeyId: "AK", secretAccessKey: "secret" }, fetch });
	const logs = createLogs(access, server.url.origin);
	const refusal = (type: string, status = 400) => Response.json({ __type: type, message: "no" }, { status });
	beforeEach(() => void asked.splice(0));
	afterAll(() => server.stop(true));

	const waiting = (...lines: string[]) => {
		const batches = createBatches(1_000_000);
		for (const [at, line] of lines.entries()) batches.add(line, NOW + at);
		return { group: "/mayfly/x/proxy", stream: "i-1", batches };
	};

	test("signs, and makes the stream when there is none", async () => {
		let isThere = false;
		answers = (target) => {
			if (target === "CreateLogStream") isThere = true;
			return isThere ? Response.json({}) : refusal("com.amazonaws.logs#ResourceNotFoundException");
		};
		const stream = waiting("one", "two");
		expect(await ship(logs, stream)).toBeNull();
		expect(asked.map(({ target }) => target)).toEqual(["PutLogEvents", "CreateLogStream", "PutLogEvents"]);
		expect(asked.at(-1)?.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AK\/\d{8}\/eu-west-1\/logs\/aws4_request/);
		expect(asked.at(-1)?.body).toEqual({
			...{ logGroupName: "/mayfly/x/proxy", logStreamName: "i-1" },
			logEvents: [
				{ timestamp: NOW, message: "one" },
				{ timestamp: NOW + 1, message: "two" },
			],
		});
		expect(stream.batches.size()).toBe(0);
	});

	test("keeps what is not taken now, and brings it later", async () => {
		const stream = waiting("one");
		for (const [type, status] of [
			["ThrottlingException", 400],
			["AccessDeniedException", 400],
			["ServiceUnavailableException", 503],
		] as const) {
			answers = () => refusal(type, status);
			expect(await ship(logs, stream)).toContain("PutLogEvents");
			expect([stream.batches.size(), stream.batches.takeLost()]).toEqual([1, 0]);
		}
		answers = () => Response.json({});
		expect([await ship(logs, stream), stream.batches.size()]).toEqual([null, 0]);
	});

	test("gives up what will never be taken, and counts it", async () => {
		answers = () => refusal("InvalidParameterException");
		const stream = waiting("one", "two");
		expect(await ship(logs, stream)).toContain("InvalidParameterException");
		expect([stream.batches.size(), stream.batches.takeLost()]).toEqual([0, 2]);
	});
});
