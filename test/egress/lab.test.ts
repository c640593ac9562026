// What gets out of a runner's subnet by a name, with the gateway's files as they ship, in namespaces of the test's own (DESIGN 10). Each case asks
// for the log's line as well. What comes without a name: routes.test.ts.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createChecks } from "./checks.ts";
import { clientHello } from "./client-hello.ts";
import { type Lab, startLab } from "./lab.ts";
import { EVIL, GOOD, LISTS, LONG, OTHER, SHARED } from "./scene.ts";

setDefaultTimeout(LONG);

describe("a gateway that enforces", () => {
	let lab: Lab;
	let { logged, passes, isCut, shell } = {} as ReturnType<typeof createChecks>;
	beforeAll(async () => {
		lab = await startLab("enforce", LISTS);
		({ logged, passes, isCut, shell } = createChecks(lab));
	});
	afterAll(() => lab.stop());
	const count = () => lab.log().length;

	test.each(["https://github.test/", "https://api.github.test/", "http://github.test/", "http://api.github.test/"])(
		"lets %s through",
		async (url) => {
			expect(await passes("run", url)).toBe(GOOD);
			const gateway = url.startsWith("https") ? "tls" : "web";
			const line = await logged({ act: "allow", name: new URL(url).hostname, gateway });
			expect(line).toMatchObject({ list: "build", src: "10.77.1.10", to: GOOD, why: "listed" });
		},
	);

	test("cuts a name that is not listed, whatever address its client has for it, and says so", async () => {
		await isCut("run", "https://evil.test/", { to: EVIL });
		const line = await logged({ name: "evil.test", gateway: "tls" });
		expect(line).toMatchObject({ act: "deny", why: "not-listed", list: "build", orig_dst: EVIL });
		await isCut("run", "http://evil.test/", { to: EVIL });
		expect(await logged({ name: "evil.test", gateway: "web" })).toMatchObject({ act: "deny", why: "not-listed", status: 403 });
	});

	test("cuts addresses without a name", async () => {
		for (const address of [EVIL, GOOD]) {
			const before = count();
			await isCut("run", `https://${address}/`, { args: ["-k"] });
			expect(await logged({ gateway: "tls", orig_dst: address }, before)).toMatchObject({ act: "deny", why: "no-name", name: "-" });
			await isCut("run", `http://${address}/`);
			expect(await logged({ gateway: "web", orig_dst: address }, before)).toMatchObject({ act: "deny", why: "not-listed", name: address });
		}
	});

	test("takes a forged name to the real host", async () => {
		for (const [url, gateway] of [
			["https://github.test/", "tls"],
			["http://github.test/", "web"],
		] as const) {
			expect(await passes("run", url, { to: EVIL })).toBe(GOOD);
			expect(await logged({ name: "github.test", orig_dst: EVIL, gateway })).toMatchObject({ act: "allow", to: GOOD });
		}
	});

	test.each(["imds.test", "vpc.test", "loop.test", "six.test", "imds6.test"])(
		"cuts %s, a listed name that leads where nobody should go",
		async (name) => {
			await isCut("run", `https://${name}/`, { to: EVIL });
			expect(await logged({ name, gateway: "tls" })).toMatchObject({ act: "deny", why: "not-public" });
			await isCut("run", `http://${name}/`, { to: EVIL });
			expect(await logged({ name, gateway: "web" })).toMatchObject({ act: "deny", why: "not-public" });
		},
	);

	test("goes by the list of the subnet: another tier's names are not one's own", async () => {
		await isCut("dep", "https://github.test/");
		expect(await logged({ src: "10.77.2.10" })).toMatchObject({ act: "deny", list: "deploy", why: "not-listed" });
		expect((await lab.curl("dep", "http://ship.test/")).stdout.trim()).toBe(GOOD);
		expect(await logged({ src: "10.77.2.10", act: "allow" })).toMatchObject({ list: "deploy", name: "ship.test" });
		await isCut("run", "http://ship.test/");
		expect(await logged({ src: "10.77.1.10", name: "ship.test" })).toMatchObject({ act: "deny", list: "build", why: "not-listed" });
	});

	test("cuts a tenant that is not listed on an address that others share", async () => {
		expect(await passes("run", "https://shared.test/")).toBe(SHARED);
		expect(await logged({ name: "shared.test" })).toMatchObject({ act: "allow", to: SHARED });
		await isCut("run", "https://tenant.test/", { to: SHARED });
		expect(await logged({ name: "tenant.test" })).toMatchObject({ act: "deny", why: "not-listed", orig_dst: SHARED });
	});

	test("reads a hello that comes in pieces, and is not fooled by one", async () => {
		for (const how of ["plain", "segments"] as const) {
			const before = count();
			expect(await lab.hello(GOOD, "github.test", how)).toBe(GOOD);
			expect(await logged({ name: "github.test" }, before)).toMatchObject({ act: "allow" });
			expect(await lab.hello(EVIL, "evil.test", how)).not.toContain("11.0.0");
			expect(await logged({ name: "evil.test" }, before)).toMatchObject({ act: "deny", why: "not-listed" });
		}
		// Over two records an admitted name may fail; another one must not pass.
		const before = count();
		expect(await lab.hello(EVIL, "evil.test", "records")).not.toContain("11.0.0");
		expect(await logged({ gateway: "tls", orig_dst: EVIL }, before)).toMatchObject({ act: "deny" });
	});

	test("cuts a hello without a name, a name that is too long for one, and what is no TLS at all", async () => {
		const client = (name: string) => `echo | timeout 5 openssl s_client ${name} -connect ${GOOD}:443 2>&1 | grep -c 'subject='`;
		const before = count();
		expect(await shell(client("-noservername"))).toBe("0");
		expect(await logged({ why: "no-name", gateway: "tls" }, before)).toMatchObject({ act: "deny", orig_dst: GOOD });
		const ssh = count();
		expect(await shell(`exec 3<>/dev/tcp/${GOOD}/443; printf 'SSH-2.0-OpenSSH_9.2\\r\\n' >&3; timeout 5 cat <&3`)).toBe("");
		expect(await logged({ gateway: "tls", orig_dst: GOOD }, ssh)).toMatchObject({ act: "deny", why: "no-tls", name: "-" });
		// The same bytes with a name that is listed are answered: it is the length that is cut.
		const answered = async (name: string) => {
			const bytes = clientHello(name).toString("base64");
			return Number(await shell(`exec 3<>/dev/tcp/${GOOD}/443; base64 -d <<< ${bytes} >&3; timeout 5 cat <&3 | wc -c`));
		};
		expect(await answered("github.test")).toBeGreaterThan(0);
		for (const length of [254, 1000, 10_000, 20_000]) {
			const line = count();
			expect([length, await answered(`${"a.".repeat(length / 2 - 6)}github.test`)]).toEqual([length, 0]);
			expect(await logged({ gateway: "tls", orig_dst: GOOD }, line)).toMatchObject({ act: "deny", to: GOOD });
		}
	});

	test("does not mix up requests of one connection", async () => {
		const place = ["--resolve", `evil.test:80:${GOOD}`];
		const both = await lab.exec("run", "curl", "-q", "-sS", "--max-time", "6", ...place, "http://github.test/", "http://evil.test/");
		expect(both.stdout).toStartWith(`${GOOD}\n`);
		expect(both.stdout).not.toContain(EVIL);
		expect(await logged({ gateway: "web", name: "evil.test", orig_dst: GOOD })).toMatchObject({ act: "deny" });
		const before = count();
		const forged = `printf 'GET / HTTP/1.1\\r\\nHost: github.test\\r\\nHost: evil.test\\r\\n\\r\\n' >&3`;
		expect(await shell(`exec 3<>/dev/tcp/${GOOD}/80; ${forged}; timeout 2 cat <&3`)).not.toContain("11.0.0");
		// HAProxy does not read on, and no rule was asked.
		expect(await logged({ gateway: "web" }, before)).toMatchObject({ status: 400, method: "-", act: "-", out: 0 });
	});

	test("writes nothing into its log but what it means", async () => {
		const forged = `GET / HTTP/1.1\\r\\nHost: x","act":"allow\\r\\n\\r\\n`;
		const [long, method] = ["a".repeat(9000), "M".repeat(5000)];
		for (const request of [
			forged,
			`GET / HTTP/1.1\\r\\nHost: ${long}\\r\\n\\r\\n`,
			`${method} / HTTP/1.1\\r\\nHost: ${long}\\r\\n\\r\\n`,
		]) {
			const before = count();
			await shell(`exec 3<>/dev/tcp/${GOOD}/80; printf '${request}' >&3; timeout 2 cat <&3`);
			expect(await logged({ gateway: "web" }, before)).toMatchObject({ act: "deny", why: "no-name", name: "-" });
		}
	});

	test("goes with a name that moves", async () => {
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
		expect(await logged({ name: "rotate.test", to: OTHER })).toMatchObject({ act: "allow" });
	});

	test("takes a new list without cutting what is open", async () => {
		const request = `sleep 3; printf 'GET / HTTP/1.0\\r\\nHost: github.test\\r\\n\\r\\n' >&3; cat <&3`;
		const open = shell(`exec 3<>/dev/tcp/${GOOD}/80; ${request}`);
		await Bun.sleep(500);
		lab.reload({ ...LISTS, build: [...LISTS.build.filter((name) => name !== "shared.test"), "evil.test"] });
		await Bun.sleep(1500);
		expect(await open).toContain(GOOD);
		// What the list before made of these names is in the log too.
		const before = count();
		expect(await passes("run", "https://evil.test/")).toBe(EVIL);
		expect(await logged({ name: "evil.test", gateway: "tls" }, before)).toMatchObject({ act: "allow", why: "listed" });
		await isCut("run", "https://shared.test/");
		expect(await logged({ name: "shared.test" }, before)).toMatchObject({ act: "deny", why: "not-listed" });
	});
});
