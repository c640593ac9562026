// A gateway's life with the program as it ships: no lists, new lists, bad lists, a crash of each of its parts, and the loss of a whole zone's gateway.
// The tests go on from one another, as a stack does.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { EVIL, eventually, GOOD } from "./scene.ts";
import { DOCUMENT, GATEWAYS, startZones, type ZonesLab } from "./zones-lab.ts";
import { createScene, type Line, withHosts } from "./zones-scene.ts";

const LONG = 120_000;
setDefaultTimeout(LONG);
let lab: ZonesLab;
let { lines: parsed, logged, count, publish, passes, isCut } = {} as ReturnType<typeof createScene>;
beforeAll(async () => {
	lab = await startZones();
	({ lines: parsed, logged, count, publish, passes, isCut } = createScene(lab));
});
afterAll(() => lab.stop());

describe("a gateway and its lists", () => {
	test("nothing passes before there are any, and the log says so", async () => {
		await logged("gateway", {
			event: "lists-refused",
			instanceId: GATEWAYS.a,
			reason: "there are no lists in the mailbox: nothing passes",
		});
		await isCut("https://github.test/");
		await isCut("http://github.test/");
		await isCut(`http://${EVIL}:8443/`);
	});

	test("what they admit passes once they are there; what HAProxy and nftables log comes to CloudWatch", async () => {
		await publish(DOCUMENT);
		expect([await passes("https://github.test/"), await passes("http://api.github.test/", "rb")]).toEqual([GOOD, GOOD]);
		expect(await logged("proxy", { name: "github.test", src: "10.77.16.10" })).toMatchObject({ act: "allow", list: "build", to: GOOD });
		expect(await logged("proxy", { name: "api.github.test" })).toMatchObject({ act: "allow", gateway: "web", src: "10.77.32.10" });
		await isCut("https://evil.test/");
		expect(await logged("proxy", { name: "evil.test" })).toMatchObject({ act: "deny", why: "not-listed", gateway: "tls" });
		await isCut(`http://${EVIL}:8443/`);
		expect(await logged("proxy", { gateway: "nft", orig_dst: EVIL, src: "10.77.16.10" })).toMatchObject({
			...{ act: "deny", why: "not-routed", dport: 8443, proto: "tcp", iif: "eth0" },
		});
	});

	test("`mayfly egress propose` reads what was shipped, as `aws logs tail` and an export to S3 write it", async () => {
		const main = join(import.meta.dir, "..", "..", "cli", "main.ts");
		for (const head of [`2026-11-29T12:03:55.594000+00:00 ${GATEWAYS.a} `, "2026-11-29T12:03:55.594Z "]) {
			const text = lab.messages("proxy").map((message) => `${head}${message}\n`);
			const child = Bun.spawn([process.execPath, main, "egress", "propose", "-", "--json"], {
				stdin: Buffer.from(text.join("")),
				stdout: "pipe",
			});
			const [proposal, status] = [await new Response(child.stdout).json(), await child.exited];
			expect([status, proposal]).toMatchObject([0, { build: [{ name: "evil.test", connections: 1, problem: null }] }]);
		}
	});

	test("lists that do not read are refused, said once, and the last good ones stay", async () => {
		for (const [text, reason] of [
			["{", "it is not JSON"],
			[JSON.stringify({ ...DOCUMENT, version: 2 }), "unknown version"],
			[JSON.stringify(withHosts("*.amazonaws.com")), "lists.0.hosts.0"],
		] as const) {
			const before = count("gateway");
			lab.publish(text);
			const refused = (line: Line) => line.event === "lists-refused" && String(line.reason).includes(reason);
			const line = await eventually(() => parsed("gateway").slice(before).find(refused), 400, 100);
			expect(line.reason).toEndWith(": the last good lists stay");
			expect(await passes("https://github.test/")).toBe(GOOD);
			await isCut("https://evil.test/");
			await Bun.sleep(2500);
			const its = parsed("gateway")
				.slice(before)
				.filter((one) => refused(one) && one.instanceId === line.instanceId);
			expect(its).toHaveLength(1);
		}
	});

	test("new lists hold at once for what is new, and cut no download that runs", async () => {
		const downloads = ["https://github.test/slow", "http://github.test/slow"].map((url) =>
			lab.exec(
				"ra",
				"curl",
				"-q",
				"-sS",
				"--cacert",
				join(lab.folder, "ca.crt"),
				"--max-time",
				"30",
				"-o",
				"/dev/null",
				"-w",
				"%{size_download}",
				url,
			),
		);
		await eventually(() => (lab.reached.filter((line) => line.includes("github.test")).length >= 2 ? true : undefined));
		await publish(withHosts("evil.test"));
		expect(await passes("https://evil.test/")).toBe(EVIL);
		await isCut("https://github.test/");
		expect(await logged("proxy", { name: "github.test", act: "deny" })).toMatchObject({ why: "not-listed" });
		for (const download of downloads) expect(await download).toMatchObject({ status: 0, stdout: String(40 * 8192) });
		// Its line came when it was over, from the process that had the lists before.
		expect(
			await eventually(() => parsed("proxy").find((line) => Number(line.out) > 40 * 8192 && line.name === "github.test"), 100, 100),
		).toMatchObject({ act: "allow" });
	});

	test("the mode is the document's: observed, open, and enforced again", async () => {
		const before = count("proxy");
		await publish({ ...DOCUMENT, mode: "observe" });
		expect(await passes("https://evil.test/")).toBe(EVIL);
		expect(await logged("proxy", { name: "evil.test", act: "allow", why: "not-listed" }, before)).toMatchObject({ list: "build" });
		await publish({ ...DOCUMENT, mode: "open" });
		expect(await passes(`http://${EVIL}:8443/`)).toBe(EVIL);
		expect(await logged("proxy", { gateway: "nft", why: "open", dport: 8443 }, before)).toMatchObject({ act: "allow", orig_dst: EVIL });
		await publish(DOCUMENT);
		expect(await passes("https://github.test/")).toBe(GOOD);
		await isCut("https://evil.test/");
		await isCut(`http://${EVIL}:8443/`);
	});
});

describe("a gateway that loses a part", () => {
	test("without HAProxy nothing passes; systemd has it back, and things pass", async () => {
		const before = count("gateway");
		expect(await lab.crash("a", "haproxy")).toBeGreaterThan(0);
		await isCut("https://github.test/");
		await isCut(`https://${EVIL}/`, "-k");
		await isCut("http://github.test/");
		await isCut(`http://${EVIL}:8443/`);
		await logged("gateway", { event: "not-well", instanceId: GATEWAYS.a }, before);
		await logged("gateway", { event: "well", instanceId: GATEWAYS.a }, before);
		expect(await passes("https://github.test/")).toBe(GOOD);
		expect(lab.replaced()).toEqual([]);
	});

	test("without its program all goes on by the last lists; systemd has it back, and it takes them up without the mailbox", async () => {
		const before = count("gateway");
		lab.publish("{");
		expect(await lab.crash("a", "mayfly-gateway")).toBe(1);
		expect(await passes("https://github.test/")).toBe(GOOD);
		await isCut("https://evil.test/");
		await logged("gateway", { event: "lists-installed", instanceId: GATEWAYS.a }, before);
		expect(await passes("https://github.test/")).toBe(GOOD);
		await publish({ ...DOCUMENT, gateways: [...DOCUMENT.gateways].toReversed() });
	});
});

describe("a gateway that is lost", () => {
	test("in the middle of a job: the other zone's takes over, and the job's next request passes", async () => {
		expect(await passes("https://github.test/")).toBe(GOOD);
		const [download, before] = [lab.curl("ra", "https://github.test/slow", "-o", "/dev/null"), count("gateway")];
		await Bun.sleep(500);
		await lab.lose("a");
		await isCut("https://github.test/");
		const next = await eventually(async () => ((await passes("https://github.test/")) === GOOD ? true : undefined), 60, 200);
		expect(next).toBe(true);
		expect((await download).status).not.toBe(0);
		expect(lab.replaced()).toEqual([["rtb-0a", GATEWAYS.b]]);
		await logged("gateway", { event: "gateway-silent", instanceId: GATEWAYS.b, gateway: GATEWAYS.a }, before);
		expect(await logged("gateway", { event: "moved", instanceId: GATEWAYS.b }, before)).toMatchObject({
			...{
				zone: "eu-west-1b",
				route: "eu-west-1a",
				from: GATEWAYS.a,
				to: GATEWAYS.b,
				reason: `taken over: ${GATEWAYS.a} did not answer 3 times`,
			},
		});
		await isCut("https://evil.test/");
		expect(await logged("proxy", { name: "github.test", src: "10.77.16.10" })).toMatchObject({ act: "allow", list: "build" });
	});

	test("and comes back takes its zone home, and nothing moves after that", async () => {
		const before = count("gateway");
		lab.restore("a");
		expect(await logged("gateway", { event: "moved", instanceId: GATEWAYS.a }, before)).toMatchObject({
			...{ route: "eu-west-1a", from: GATEWAYS.b, to: GATEWAYS.a, reason: "back home: its own gateway is well again" },
		});
		expect(await passes("https://github.test/")).toBe(GOOD);
		expect(await passes("https://github.test/", "rb")).toBe(GOOD);
		await Bun.sleep(8000);
		expect(lab.replaced()).toEqual([
			["rtb-0a", GATEWAYS.b],
			["rtb-0a", GATEWAYS.a],
		]);
	});

	test("asks nobody but its own kind how it is", async () => {
		const health = (from: "ra" | "gb", address: string) =>
			lab.exec(from, "curl", "-q", "-sS", "--fail", "--max-time", "2", `http://${address}:3128/healthy`);
		expect((await health("gb", "10.77.0.10")).status).toBe(0);
		expect((await health("ra", "10.77.0.10")).status).not.toBe(0);
		expect(await logged("proxy", { gateway: "nft", dport: 3128 })).toMatchObject({ act: "deny", why: "not-served", src: "10.77.16.10" });
	});
});
