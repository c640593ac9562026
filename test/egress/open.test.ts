// What gateways that observe or are open let through, and what the lab would without any gateway: the other half of lab.test.ts.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createChecks } from "./checks.ts";
import { type Lab, startLab } from "./lab.ts";
import { EVIL, eventually, GOOD, LISTS, LONG, PING } from "./scene.ts";

setDefaultTimeout(LONG);

describe("the lab without the gateway's rules", () => {
	let lab: Lab;
	beforeAll(async () => {
		lab = await startLab("enforce", LISTS);
		await lab.exec("gw", "nft", "flush", "ruleset");
	});
	afterAll(() => lab.stop());

	test("lets all of that through: what is cut above is cut by the gateway", async () => {
		const reads = async (...command: string[]) => (await lab.exec("run", ...command)).stdout.trim();
		const curl = ["curl", "-q", "-sS", "-k", "-g", "--max-time", "3"];
		expect(await reads(...curl, `https://${EVIL}/`)).toBe(EVIL);
		expect(await reads(...curl, `http://${EVIL}:8443/`)).toBe(EVIL);
		expect(await reads(...curl, "http://[2001:db8::20]/")).toBe("2001:db8::20");
		for (const [address, port] of [
			[EVIL, 443],
			["11.0.0.8", 53],
		])
			await lab.exec("run", "bash", "-c", `echo hello > /dev/udp/${address}/${port}`);
		await eventually(() => (lab.reached.filter((line) => line.includes("udp")).length === 2 ? true : undefined));
		expect(await reads("python3", "-c", PING)).toBe("answered");
		expect(await reads("bash", "-c", "exec 3<>/dev/tcp/10.77.1.1/3129 && echo open")).toBe("open");
	});
});

describe("a gateway that is open", () => {
	let lab: Lab;
	beforeAll(async () => {
		lab = await startLab("open", LISTS);
	});
	afterAll(() => lab.stop());

	const curl = (url: string) => lab.exec("run", "curl", "-q", "-sS", "-k", "-g", "--fail", "--max-time", "3", url);

	test("routes whatever is behind it into the world, on any port, by its own address, and logs each connection", async () => {
		for (const url of [`https://${EVIL}/`, `http://${EVIL}:8443/`]) expect((await curl(url)).stdout.trim()).toBe(EVIL);
		expect((await lab.exec("run", "python3", "-c", PING)).stdout.trim()).toBe("answered");
		expect(lab.reached.filter((line) => line.includes(EVIL)).every((line) => JSON.parse(line).from === "11.0.1.2")).toBe(true);
		for (const port of [443, 8443])
			expect(
				await eventually(() => lab.kernelLog().find((line) => line.includes(`DST=${EVIL}`) && line.includes(`DPT=${port}`))),
			).toContain("mayfly-egress open IN=run0 OUT=out0");
	});

	test("leads nobody into another subnet, to its metadata or to itself", async () => {
		for (const target of ["10.77.2.10", "10.77.1.1", "11.0.1.2", "169.254.169.254"])
			for (const port of [80, 3128, 3129]) {
				const { status } = await lab.exec("run", "curl", "-q", "-sS", "--max-time", "1", `http://${target}:${port}/`);
				expect([target, port, status === 0]).toEqual([target, port, false]);
			}
		const there = (line: string) => line.includes("mayfly-egress forward IN=run0 OUT=dep0") && line.includes("DST=10.77.2.10");
		expect(await eventually(() => lab.kernelLog().find(there))).toContain("SRC=10.77.1.10");
	});

	test("is no way for IPv6, and lets nobody in from the world", async () => {
		expect((await curl("http://[2001:db8::20]/")).status).not.toBe(0);
		const inward = await lab.exec("net", "curl", "-q", "-sS", "--max-time", "2", "http://10.77.1.10/");
		expect(inward.status).not.toBe(0);
		expect(await eventually(() => lab.kernelLog().find((line) => line.includes("IN=out0 OUT=run0")))).toContain("mayfly-egress forward");
	});
});

describe("a gateway that observes", () => {
	let lab: Lab;
	let { logged, dropped, isCut } = {} as ReturnType<typeof createChecks>;
	beforeAll(async () => {
		lab = await startLab("observe", LISTS);
		({ logged, dropped, isCut } = createChecks(lab));
	});
	afterAll(() => lab.stop());

	test("lets through what is not listed, and says that it would not have", async () => {
		expect((await lab.curl("run", "https://evil.test/")).stdout.trim()).toBe(EVIL);
		expect((await lab.curl("run", "http://evil.test/")).stdout.trim()).toBe(EVIL);
		const lines = await eventually(() => {
			const found = lab.log().filter(({ name }) => name === "evil.test");
			return found.length === 2 ? found : undefined;
		});
		for (const line of lines) expect(line).toMatchObject({ act: "allow", why: "not-listed", list: "build" });
		expect((await lab.curl("run", "https://github.test/")).stdout.trim()).toBe(GOOD);
		expect(await eventually(() => lab.log().find(({ name }) => name === "github.test"))).toMatchObject({ act: "allow", why: "listed" });
	});

	test.each(["imds.test", "vpc.test", "loop.test", "other-imds.test", "other-vpc.test", "other-loop.test", "six.test", "other-six.test"])(
		"still leads nobody to %s, and says so",
		async (name) => {
			for (const [url, gateway] of [
				[`https://${name}/`, "tls"],
				[`http://${name}/`, "web"],
			] as const) {
				await isCut("run", url, { to: EVIL });
				expect(await logged({ name, gateway })).toMatchObject({ act: "deny", why: "not-public" });
			}
		},
	);

	test("still routes nothing, and says so", async () => {
		await isCut("run", "http://evil.test:8443/", { to: EVIL });
		expect(await dropped("SRC=10.77.1.10", `DST=${EVIL}`, "DPT=8443")).toContain("mayfly-egress forward");
		await isCut("run", `https://${EVIL}/`, { args: ["-k"] });
		expect(await logged({ gateway: "tls", orig_dst: EVIL, name: "-" })).toMatchObject({ act: "deny", why: "no-name" });
	});
});
