// `bun run image build`: debootstrap, the numbered scripts, the disk. One image or none: it gets its name when it is whole.
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { librariesOf } from "../../build/libraries.ts";
import { version } from "../../package.json";
import { ImageProblem } from "../problem.ts";
import { type Architecture, type BaseName, readVersions } from "../versions.ts";
import { layBase } from "./base.ts";
import { runInside } from "./chroot.ts";
import { run, type Workshop } from "./command.ts";
import { CMDLINE, keepKernel, makeDisk, rootStart } from "./disk.ts";
import { commitTime } from "./epoch.ts";
import { type Kind, layParts, type Parts } from "./parts.ts";
import { imageBill, type Package, parsePackages } from "./sbom.ts";

export interface BuildOptions {
	kind: Kind;
	base: BaseName;
	out: string;
	versions: string;
	dist: string | null;
	runner: string;
	mirror: string | null;
	/** The time of every younger file, seconds since 1970; null: of the commit. */
	epoch: number | null;
}

/** What is written beside the image, and what the command prints. */
export interface Manifest {
	file: string;
	sha256: string;
	/** Of the disk, and of it what is written: a snapshot holds only that. */
	sizeMiB: number;
	writtenMiB: number;
	base: BaseName;
	suite: string;
	architecture: Architecture;
	kind: Kind;
	/** Null in a gateway's image. */
	runner: { kind: "stand-in" | "release"; version: string; sha256: string } | null;
	/** What is in it beside packages. */
	files: Parts["files"];
	kernel: { file: string; cmdline: string };
	rootStartMiB: number;
	packages: Package[];
	sbom: string;
}

/** Whose imports are in the image's program. */
const PROGRAM: Record<Kind, string> = { runner: "agent/main.ts", gateway: "gateway/main.ts" };

const repository = join(import.meta.dir, "..", "..");
const AMI = join(import.meta.dir, "..");
export const CACHE = join(repository, ".cache", "image");
/** The scripts behind 10-packages.sh, which belongs to the base. */
const LATER = /^[2-9]\d-.*\.sh$/;
/** Those that know nothing of runners. */
const SHARED = /^[6-9]\d-.*\.sh$/;

/** By their numbers, wherever they lie. */
async function scriptsOf(kind: Kind): Promise<string[]> {
	const scripts = async (folder: string, pattern: RegExp) =>
		(await readdir(join(AMI, folder))).filter((name) => pattern.test(name)).map((name) => join(AMI, folder, name));
	const found =
		kind === "runner"
			? await scripts("provision", LATER)
			: [...(await scripts("provision", SHARED)), ...(await scripts("gateway/provision", LATER))];
	return found.toSorted((a, b) => basename(a).localeCompare(basename(b)));
}

async function provision(root: string, kind: Kind, parts: Parts, shop: Workshop, say: (text: string) => void): Promise<void> {
	for (const script of await scriptsOf(kind)) {
		say(basename(script, ".sh"));
		await runInside(root, script, parts.env, parts.folder, shop);
	}
}

/** No file is younger than the commit. */
async function clampTimes(root: string, epoch: number, shop: Workshop): Promise<void> {
	const touch = ["-exec", "touch", "-h", "-d", `@${epoch}`, "{}", "+"];
	await run("times", ["find", root, "-newermt", `@${epoch}`, ...touch], shop);
}

async function billOf(root: string, suite: string, base: BaseName, { files }: Parts, kind: Kind, epoch: number, shop: Workshop) {
	const format = "-f=${Package} ${Version} ${Architecture}\\n";
	const packages = parsePackages(await run("packages", ["dpkg-query", `--admindir=${join(root, "var/lib/dpkg")}`, "-W", format], shop));
	const libraries = await librariesOf(PROGRAM[kind]);
	const text = imageBill({ distribution: base, suite, packages, libraries, files, epoch, version });
	return { packages, text };
}

/** Whatever happens, what is not whole is gone. */
export async function buildImage(options: BuildOptions, signal: AbortSignal, say: (text: string) => void): Promise<Manifest> {
	if (process.getuid?.() !== 0) throw new ImageProblem("build", "needs root: debootstrap and chroot do. Try sudo, or a container");
	const out = resolve(options.out);
	await mkdir(CACHE, { recursive: true });
	if (!existsSync(dirname(out))) throw new ImageProblem("out", `the folder ${dirname(out)} does not exist`);
	const folder = await mkdtemp(join(CACHE, "work-"));
	const shop = { folder, log: `${out}.log`, signal };
	const part = `${out}.part`;
	try {
		await writeFile(shop.log, "");
		const manifest = await make(options, out, part, shop, say);
		await rename(part, out);
		await rm(shop.log, { force: true });
		return manifest;
	} catch (error) {
		if (error instanceof ImageProblem) error.message += `\nall that was said: ${shop.log}`;
		throw error;
	} finally {
		for (const file of [folder, part]) await rm(file, { recursive: true, force: true });
	}
}

function runnerIn({ files }: Parts, asked: string): Manifest["runner"] {
	const found = files.find(({ name }) => name === "actions-runner");
	if (found === undefined) return null;
	return { kind: asked === "stand-in" ? "stand-in" : "release", version: found.version, sha256: found.sha256 };
}

async function make(options: BuildOptions, out: string, part: string, shop: Workshop, say: (text: string) => void): Promise<Manifest> {
	const versions = await readVersions(options.versions);
	const base = versions.bases[options.base];
	const architecture = process.arch as Architecture;
	const { kind } = options;
	// First, since it is at once known whether there is one.
	const epoch = options.epoch ?? (await commitTime(repository, shop));
	say("parts");
	const parts = await layParts(kind, { versions, architecture, dist: options.dist, runner: options.runner }, shop);
	const root = join(shop.folder, "root");
	await mkdir(root);
	say(`base: ${base.suite}`);
	const wanted = kind === "gateway" ? base.gateway : base.packages;
	await layBase(root, { kind, name: options.base, base, architecture, packages: wanted, mirror: options.mirror, cache: CACHE }, shop);
	await provision(root, kind, parts, shop, say);
	const { packages, text } = await billOf(root, base.suite, options.base, parts, kind, epoch, shop);
	await clampTimes(root, epoch, shop);
	say("disk");
	const { sizeMiB, espMiB } = versions.disk;
	const written = await makeDisk({ root, file: part, architecture, sizeMiB, espMiB, epoch }, shop);
	await keepKernel(root, `${out}.vmlinuz`);
	await writeFile(`${out}.cdx.json`, text);
	say("sha256");
	const manifest: Manifest = {
		...{
			file: out,
			sha256: (await run("sha256", ["openssl", "dgst", "-sha256", "-r", part], shop)).slice(0, 64),
			sizeMiB,
			writtenMiB: Math.round(written / 2 ** 20),
		},
		...{ kind, base: options.base, suite: base.suite, architecture, files: parts.files },
		runner: runnerIn(parts, options.runner),
		kernel: { file: `${out}.vmlinuz`, cmdline: CMDLINE.join(" ") },
		...{ rootStartMiB: rootStart(espMiB), packages, sbom: `${out}.cdx.json` },
	};
	await writeFile(`${out}.json`, `${JSON.stringify(manifest, null, "\t")}\n`);
	return manifest;
}
