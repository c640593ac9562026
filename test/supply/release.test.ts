// Signing and checking a release, with minisign itself.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { appendFile, cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openWorkbench, type Workbench } from "./scripts.ts";

const SCRIPTS = join(import.meta.dir, "..", "..", "build", "release");
let bench: Workbench;
interface Keys {
	secret: string;
	public: string;
}
let keys: Keys;
let other: Keys;

/** With a password minisign takes its time for each signature, so only one test has one. */
async function makeKeys(name: string, password = ""): Promise<Keys> {
	const [secret, open] = [join(bench.folder, `${name}.key`), join(bench.folder, `${name}.pub`)];
	const flags = password === "" ? "-W" : "";
	const made = await bench.run([
		"bash",
		"-c",
		`printf '%s\\n%s\\n' '${password}' '${password}' | minisign -G ${flags} -f -s ${secret} -p ${open}`,
	]);
	expect(made.code).toBe(0);
	return { secret: (await readFile(secret, "utf8")).trim(), public: (await readFile(open, "utf8")).trim().split("\n").at(-1) ?? "" };
}

beforeAll(async () => {
	bench = await openWorkbench();
	keys = await makeKeys("own");
	other = await makeKeys("other");
}, 120_000);
afterAll(() => bench.end());

const dist = () => join(bench.folder, "dist");
beforeEach(async () => {
	await rm(dist(), { recursive: true, force: true });
	await mkdir(dist());
	for (const name of ["poller.mjs", "relay.js"]) await writeFile(join(dist(), name), `the bytes of ${name}\n`);
	await bench.run(["bash", "-c", `cd ${dist()} && sha256sum poller.mjs relay.js >SHA256SUMS`]);
});
const sign = (over: Record<string, string> = {}) =>
	bench.run([join(SCRIPTS, "sign.sh"), dist(), "mayfly v1.2.3"], {
		...{ MINISIGN_SECRET_KEY: keys.secret, MINISIGN_PUBLIC_KEY: keys.public },
		...over,
	});
const verify = (key = keys.public) => bench.run([join(SCRIPTS, "verify.sh"), dist(), key]);

describe("a release", () => {
	test("that was signed is one that anybody can check, and the key is nowhere afterwards", async () => {
		expect(await sign()).toMatchObject({ code: 0 });
		expect(await readFile(join(dist(), "SHA256SUMS.minisig"), "utf8")).toContain("trusted comment: mayfly v1.2.3");
		const { code, out } = await verify();
		expect([code, out]).toEqual([0, `${dist()}: signed by ${keys.public}, 2 files as listed\n`]);
		const left = (await readdir("/dev/shm")).filter((name) => name.startsWith("tmp."));
		for (const name of left) expect(await readdir(join("/dev/shm", name)).catch(() => [])).not.toContain("secret");
	}, 60_000);

	test.each<[what: string, change: () => Promise<unknown>, says: string]>([
		["with another byte in a file", () => appendFile(join(dist(), "relay.js"), "x"), "not the one that was signed"],
		["without a file", () => rm(join(dist(), "relay.js")), "not the one that was signed"],
		["with a file that is not listed", () => writeFile(join(dist(), "extra.js"), "x"), "extra.js"],
		["with a list that was changed", () => appendFile(join(dist(), "SHA256SUMS"), `${"0".repeat(64)}  relay.js\n`), "is not of"],
		["without its signature", () => rm(join(dist(), "SHA256SUMS.minisig")), "is not of"],
	])(
		"%s is refused",
		async (_, change, says) => {
			expect((await sign()).code).toBe(0);
			await change();
			const { code, out } = await verify();
			expect(code).toBe(1);
			expect(out).toContain(says);
		},
		60_000,
	);

	test("of another key is refused", async () => {
		await sign();
		expect(await verify(other.public)).toMatchObject({ code: 1 });
	}, 60_000);

	test("is signed with a key that has a password, by it and by no other", async () => {
		const { secret, public: open } = await makeKeys("locked", "correct horse");
		const locked = { MINISIGN_SECRET_KEY: secret, MINISIGN_PUBLIC_KEY: open };
		expect((await sign({ ...locked, MINISIGN_PASSWORD: "wrong" })).code).not.toBe(0);
		expect((await sign({ ...locked, MINISIGN_PASSWORD: "correct horse" })).code).toBe(0);
	}, 300_000);

	test("is not signed with a key that is not the announced one, or with none", async () => {
		expect((await sign({ MINISIGN_PUBLIC_KEY: other.public })).code).toBe(1);
		expect((await sign({ MINISIGN_SECRET_KEY: "" })).code).not.toBe(0);
	}, 60_000);

	test("whose two builds differ stops before it is signed", async () => {
		const text = await readFile(join(SCRIPTS, "..", "..", ".github", "workflows", "release.yml"), "utf8");
		const step = /run: \|\n\s+(diff .*)\n\s+(mv .*)\n/.exec(text);
		expect(text.indexOf("diff --recursive")).toBeLessThan(text.indexOf("build/release/sign.sh"));
		const built = join(bench.folder, "built");
		for (const system of ["24.04", "22.04"]) await cp(dist(), join(built, `dist-ubuntu-${system}`), { recursive: true });
		await appendFile(join(built, "dist-ubuntu-22.04", "poller.mjs"), "x");
		expect((await bench.run(["bash", "-e", "-c", step?.[1] ?? "false"])).code).toBe(1);
	});
});
