// Bun for the other architecture: from a registry that gives what it wants, taken only by the lock file's checksum, and nothing else is fetched.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Target } from "../../build/compiled.ts";
import { lockedRuntime, pinnedRuntime } from "../../build/runtime.ts";

const root = join(import.meta.dir, "..", "..");
const LOCK = join(root, ".github", "bun", "package-lock.json");
const NAME = "@oven/bun-linux-aarch64";
const sha512 = (bytes: Uint8Array) => `sha512-${new Bun.CryptoHasher("sha512").update(bytes).digest("base64")}`;
let folder: string;
let tarball: Buffer<ArrayBuffer>;
let server: ReturnType<typeof Bun.serve>;

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "mayfly-runtime-test-"));
	await mkdir(join(folder, "package", "bin"), { recursive: true });
	await writeFile(join(folder, "package", "bin", "bun"), "the other Bun");
	await writeFile(join(folder, "package", "package.json"), JSON.stringify({ name: NAME, version: Bun.version }));
	await Bun.spawn(["tar", "-czf", "it.tgz", "package"], { cwd: folder }).exited;
	tarball = Buffer.from(await Bun.file(join(folder, "it.tgz")).arrayBuffer());
	server = Bun.serve({
		port: 0,
		hostname: "127.0.0.1",
		fetch(request) {
			if (new URL(request.url).pathname.endsWith(".tgz")) return new Response(tarball);
			// The registry always agrees with itself.
			const dist = { tarball: `${server.url}it.tgz`, integrity: sha512(tarball) };
			const versions = { [Bun.version]: { name: NAME, version: Bun.version, dist } };
			return Response.json({ name: NAME, "dist-tags": { latest: Bun.version }, versions });
		},
	});
});
afterAll(async () => {
	await server.stop(true);
	await rm(folder, { recursive: true, force: true });
});
const cache = () => join(folder, "cache");
beforeEach(() => rm(cache(), { recursive: true, force: true }));

const settings = (lockFile: string) => ({
	...{ lockFile, cache: cache() },
	env: { ...process.env, NPM_CONFIG_REGISTRY: server.url.origin, NPM_CONFIG_CACHE: join(folder, "npm") },
});

async function lockWith(integrity: string): Promise<string> {
	const file = join(folder, "package-lock.json");
	await writeFile(file, JSON.stringify({ packages: { [`node_modules/${NAME}`]: { version: Bun.version, integrity } } }));
	return file;
}

describe("Bun for the other architecture", () => {
	test("is what lies in the package that has the lock file's checksum, fetched once", async () => {
		const from = settings(await lockWith(sha512(tarball)));
		const file = await pinnedRuntime("linux-arm64", from);
		expect(await readFile(file, "utf8")).toBe("the other Bun");
		expect(await pinnedRuntime("linux-arm64", from)).toBe(file);
		expect(await readdir(cache())).toHaveLength(1);
	}, 60_000);

	test("with another checksum stops the build, and nothing of it stays", async () => {
		const from = settings(await lockWith(sha512(Buffer.from("another"))));
		await expect(pinnedRuntime("linux-arm64", from)).rejects.toThrow(/bun-linux-aarch64 .* has sha512-.*package-lock.json says sha512-/);
		expect(existsSync(cache())).toBe(false);
	}, 60_000);

	test("without a checksum of this version stops it before anything is fetched", async () => {
		for (const lock of [{ packages: {} }, { packages: { [`node_modules/${NAME}`]: { version: "1.0.0", integrity: "sha512-a" } } }])
			expect(() => lockedRuntime(lock, "linux-arm64")).toThrow(`has no sha512 for ${NAME} ${Bun.version}`);
	});

	test("is in the workflows' lock file for every target", async () => {
		const lock: unknown = JSON.parse(await readFile(LOCK, "utf8"));
		for (const target of ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"] satisfies Target[])
			expect(lockedRuntime(lock, target).integrity).toStartWith("sha512-");
	});
});

test("a program for another architecture is compiled without Bun fetching anything", async () => {
	const other = process.arch === "x64" ? "arm64" : "x64";
	await pinnedRuntime(`linux-${other}`);
	const [home, out] = [join(folder, "home"), join(folder, "program")];
	await mkdir(home);
	await writeFile(join(folder, "entry.ts"), "process.exit(0);\n");
	const call = `await (await import("./build/compiled.ts")).buildProgram("it", ${JSON.stringify(join(folder, "entry.ts"))}, "linux-${other}", ${JSON.stringify(out)})`;
	const env = {
		...process.env,
		HOME: home,
		BUN_INSTALL: join(home, ".bun"),
		BUN_INSTALL_CACHE_DIR: join(home, "cache"),
	};
	const child = Bun.spawn([process.execPath, "-e", call], { cwd: root, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
	const [err, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
	expect([err, code]).toEqual(["", 0]);
	// ELF's own word for the machine: 62 or 183.
	expect(new DataView(await Bun.file(out).slice(0, 20).arrayBuffer()).getUint16(18, true)).toBe(other === "arm64" ? 183 : 62);
	expect(await Array.fromAsync(new Bun.Glob("**/bun-linux-*").scan({ cwd: home, dot: true }))).toEqual([]);
}, 120_000);
