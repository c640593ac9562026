// The part of the root that versions.json alone decides: debootstrap and the packages. Kept as a tarball, since it takes minutes.
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ImageProblem } from "../problem.ts";
import { type Architecture, type Base, packageLines } from "../versions.ts";
import { runInside } from "./chroot.ts";
import { run, type Workshop } from "./command.ts";
import { findSources, type Sources } from "./mirror.ts";

export interface BaseOptions {
	/** What it is for: one of each kind is kept. */
	kind: string;
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

/** What decides about the bytes of a base, but for what the archive holds on the day. */
async function keyOf({ base, architecture, packages }: BaseOptions): Promise<string> {
	const facts = JSON.stringify([base.suite, base.kernel[architecture], architecture, packages, DEBOOTSTRAP]);
	return new Bun.CryptoHasher("sha256")
		.update(facts)
		.update(await readFile(SCRIPT))
		.digest("hex")
		.slice(0, 16);
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
export async function layBase(root: string, options: BaseOptions, shop: Workshop): Promise<boolean> {
	const name = `base-${options.kind}-${await keyOf(options)}.tar`;
	const kept = join(options.cache, name);
	if (existsSync(kept)) {
		await run("base", ["tar", "-xf", kept, "-C", root, "--numeric-owner", "--xattrs", "--xattrs-include=*"], shop);
		return false;
	}
	const sources = await findSources(options.base, options.mirror, shop);
	await bootstrap(root, options, sources, shop);
	await install(root, options, sources, shop);
	await mkdir(options.cache, { recursive: true });
	const fresh = join(shop.folder, name);
	await run("base", ["tar", "-cf", fresh, "-C", root, "--numeric-owner", "--xattrs", "--xattrs-include=*", "."], shop);
	await rename(fresh, kept);
	await forgetOthers(options.cache, options.kind, name);
	return true;
}
