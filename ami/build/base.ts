// The part of the root that versions.json and the day decide: debootstrap and the packages. Kept for a day as a tarball, since it takes minutes.
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ImageProblem } from "../problem.ts";
import { type Architecture, type Base, type BaseName, packageLines } from "../versions.ts";
import { runInside } from "./chroot.ts";
import { run, type Workshop } from "./command.ts";
import { findSources, type Sources } from "./mirror.ts";

export interface BaseOptions {
	/** What it is for: one of each kind is kept. */
	kind: string;
	name: BaseName;
	base: Base;
	architecture: Architecture;
	packages: Record<string, string>;
	mirror: string | null;
	/** Where bases are kept. */
	cache: string;
}

const SCRIPT = join(import.meta.dir, "..", "provision", "10-packages.sh");
const DPKG = { x64: "amd64", arm64: "arm64" } as const;
/** debootstrap mounts in its root: that must not outlive it. */
const NAMESPACES = "--mount --fork --kill-child".split(" ");
const DEBOOTSTRAP = "--variant=minbase --merged-usr --include=ca-certificates,apt".split(" ");

/** An archive gets security fixes under the same pins: what is kept for longer would lack them. */
const KEPT_MS = 24 * 60 * 60_000;

/** Whether a base that was made then may be used now. One of the future is of a clock that was wrong. Pure. */
export const isOfTheDay = (madeAt: number, now: number) => madeAt <= now && now - madeAt < KEPT_MS;

/** The name of a base's file, by what decides about its bytes, but for what the archive holds on the day. */
export async function baseFile({ kind, base, architecture, packages, mirror }: BaseOptions): Promise<string> {
	const facts = JSON.stringify([base.suite, base.kernel[architecture], architecture, packages, mirror, DEBOOTSTRAP]);
	const hasher = new Bun.CryptoHasher("sha256").update(facts).update(await readFile(SCRIPT));
	return `base-${kind}-${hasher.digest("hex").slice(0, 16)}.tar`;
}

async function bootstrap(root: string, { base, architecture }: BaseOptions, { mirror }: Sources, shop: Workshop): Promise<void> {
	if (!existsSync(base.keyring)) throw new ImageProblem("debootstrap", `the archive's keys are missing: ${base.keyring}`);
	const command = [
		"unshare",
		...NAMESPACES,
		"debootstrap",
		...DEBOOTSTRAP,
		`--arch=${DPKG[architecture]}`,
		`--keyring=${base.keyring}`,
		base.suite,
		root,
		mirror,
	];
	await run("debootstrap", command, shop);
}

async function install(root: string, options: BaseOptions, { lines }: Sources, shop: Workshop): Promise<void> {
	const { base, architecture, packages } = options;
	await writeFile(join(root, "etc/apt/sources.list"), `${lines.join("\n")}\n`);
	for (const file of ["etc/resolv.conf", "etc/hosts"]) {
		await rm(join(root, file), { force: true });
		await copyFile(join("/", file), join(root, file));
	}
	const env = { PACKAGES: packageLines(packages), KERNEL: base.kernel[architecture] };
	await runInside(root, SCRIPT, env, null, shop);
}

/** Older bases of the same kind go: each has hundreds of MiB. */
async function forgetOthers(cache: string, kind: string, kept: string): Promise<void> {
	const others = (await readdir(cache)).filter((name) => name.startsWith(`base-${kind}-`) && name !== kept);
	for (const name of others) await rm(join(cache, name), { force: true });
}

/** Fills the empty folder `root`. Whether it was made anew. */
export async function layBase(root: string, options: BaseOptions, shop: Workshop, now = Date.now()): Promise<boolean> {
	const name = await baseFile(options);
	const kept = join(options.cache, name);
	const found = await stat(kept).catch(() => null);
	if (found !== null && isOfTheDay(found.mtimeMs, now)) {
		await run("base", ["tar", "-xf", kept, "-C", root, "--numeric-owner", "--xattrs", "--xattrs-include=*"], shop);
		return false;
	}
	const sources = await findSources(options.name, options.base, options.mirror, shop);
	await bootstrap(root, options, sources, shop);
	await install(root, options, sources, shop);
	await mkdir(options.cache, { recursive: true });
	const fresh = join(shop.folder, name);
	await run("base", ["tar", "-cf", fresh, "-C", root, "--numeric-owner", "--xattrs", "--xattrs-include=*", "."], shop);
	await rename(fresh, kept);
	await forgetOthers(options.cache, options.kind, name);
	return true;
}
