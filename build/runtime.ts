// Bun for another system than this one, which a program is compiled with: by the checksum in the workflows' lock file. Bun itself would fetch it without.
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import type { Target } from "./compiled.ts";

const root = join(import.meta.dir, "..");
const LOCK = join(root, ".github", "bun", "package-lock.json");
const CACHE = join(root, ".cache", "bun");
const Lock = v.object({ packages: v.record(v.string(), v.object({ version: v.optional(v.string()), integrity: v.optional(v.string()) })) });

/** The name of Bun's package for a target, with the version and the checksum that the lock file has. Throws for one that is not in it. Pure. */
export function lockedRuntime(lock: unknown, target: Target): { name: string; version: string; integrity: string } {
	const name = `@oven/bun-${target.replace("arm64", "aarch64")}`;
	const { version, integrity } = v.parse(Lock, lock).packages[`node_modules/${name}`] ?? {};
	if (version !== Bun.version || !integrity?.startsWith("sha512-"))
		throw new Error(`.github/bun/package-lock.json has no sha512 for ${name} ${Bun.version}`);
	return { name, version, integrity };
}

type Env = Record<string, string | undefined>;

async function run(command: string[], cwd: string, env: Env): Promise<void> {
	if (Bun.which(command[0] ?? "") === null) throw new Error(`the program ${command[0]} is not installed`);
	const child = Bun.spawn(command, { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
	const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
	if (code !== 0) throw new Error(`${command.join(" ")} exited with ${code}:\n${out}${err}`);
}

/**
 * Path of Bun's executable for a target: fetched once by npm, from the registry that it is set up with, and unpacked only if the whole package has the
 * checksum. Throws if it has not.
 */
export async function pinnedRuntime(target: Target, { lockFile = LOCK, cache = CACHE, env = process.env as Env } = {}): Promise<string> {
	const { name, version, integrity } = lockedRuntime(JSON.parse(await readFile(lockFile, "utf8")), target);
	const kept = join(cache, `${target}-${version}-${Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex").slice(0, 16)}`);
	if (existsSync(kept)) return kept;
	const folder = await mkdtemp(join(tmpdir(), "mayfly-runtime-"));
	try {
		await run(["npm", "pack", `${name}@${version}`, "--ignore-scripts", "--pack-destination", folder], folder, env);
		const [tarball = ""] = (await readdir(folder)).filter((file) => file.endsWith(".tgz"));
		const found = `sha512-${new Bun.CryptoHasher("sha512").update(await readFile(join(folder, tarball))).digest("base64")}`;
		if (found !== integrity) throw new Error(`${name} ${version} has ${found}, .github/bun/package-lock.json says ${integrity}`);
		await run(["tar", "-xzf", tarball, "package/bin/bun"], folder, env);
		await mkdir(cache, { recursive: true });
		await Bun.write(`${kept}.${process.pid}`, Bun.file(join(folder, "package", "bin", "bun")));
		await rename(`${kept}.${process.pid}`, kept);
		return kept;
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}
