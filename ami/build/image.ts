// `bun run image build`: debootstrap, the numbered scripts, the disk. One image or none: it gets its name when it is whole.
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { version } from "../../package.json";
import { ImageProblem } from "../problem.ts";
import { type Architecture, type BaseName, readVersions } from "../versions.ts";
import { layBase } from "./base.ts";
import { runInside } from "./chroot.ts";
import { run, type Workshop } from "./command.ts";
import { CMDLINE, keepKernel, makeDisk, rootStart } from "./disk.ts";
import { layParts, type Parts } from "./parts.ts";
import { billOfMaterials, importedLibraries, librariesOf, type Package, parsePackages } from "./sbom.ts";

export interface BuildOptions {
	base: BaseName;
	out: string;
	versions: string;
	dist: string | null;
	runner: string;
	mirror: string | null;
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
	runner: { kind: string; version: string; sha256: string };
	agent: { version: string; sha256: string };
	kernel: { file: string; cmdline: string };
	rootStartMiB: number;
	packages: Package[];
	sbom: string;
}

const repository = join(import.meta.dir, "..", "..");
const AMI = join(import.meta.dir, "..");
export const CACHE = join(repository, ".cache", "image");
/** The scripts behind 10-packages.sh, which belongs to the base. */
const LATER = /^[2-9]\d-.*\.sh$/;

/** The time that an image's files have: of the commit, so that two builds of it have the same. */
async function epochOf(shop: Workshop): Promise<number> {
	const given = Number(process.env.SOURCE_DATE_EPOCH);
	if (Number.isInteger(given) && given > 0) return given;
	return Number(await run("epoch", ["git", "-C", repository, "log", "-1", "--format=%ct"], shop));
}

async function provision(root: string, folder: string, parts: Parts, shop: Workshop, say: (text: string) => void): Promise<void> {
	const scripts = (await readdir(folder)).filter((name) => LATER.test(name)).toSorted();
	for (const script of scripts) {
		say(script.replace(/\.sh$/, ""));
		await runInside(root, join(folder, script), parts.env, parts.folder, shop);
	}
}

/** No file is younger than the commit. */
async function clampTimes(root: string, epoch: number, shop: Workshop): Promise<void> {
	const touch = ["-exec", "touch", "-h", "-d", `@${epoch}`, "{}", "+"];
	await run("times", ["find", root, "-newermt", `@${epoch}`, ...touch], shop);
}

async function sourcesBelow(...folders: string[]): Promise<string[]> {
	const found = await Promise.all(
		folders.map(async (folder) => await Array.fromAsync(new Bun.Glob("**/*.ts").scan({ cwd: join(repository, folder), absolute: true }))),
	);
	return await Promise.all(found.flat().map((file) => readFile(file, "utf8")));
}

async function billOf(root: string, suite: string, base: BaseName, files: Manifest["agent"][], epoch: number, shop: Workshop) {
	const format = "-f=${Package} ${Version} ${Architecture}\\n";
	const packages = parsePackages(await run("packages", ["dpkg-query", `--admindir=${join(root, "var/lib/dpkg")}`, "-W", format], shop));
	const names = importedLibraries(await sourcesBelow("agent", "contract"));
	const libraries = librariesOf(await readFile(join(repository, "bun.lock"), "utf8"), names);
	const [agent, runner] = files as [Manifest["agent"], Manifest["agent"]];
	const named = [
		{ name: "mayfly-agent", ...agent },
		{ name: "actions-runner", ...runner },
	];
	const text = billOfMaterials({ distribution: base, suite, packages, libraries, files: named, epoch, version });
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

async function make(options: BuildOptions, out: string, part: string, shop: Workshop, say: (text: string) => void): Promise<Manifest> {
	const versions = await readVersions(options.versions);
	const base = versions.bases[options.base];
	const architecture = process.arch as Architecture;
	say("parts: agent, runner");
	const parts = await layParts({ versions, architecture, dist: options.dist, runner: options.runner }, shop);
	const root = join(shop.folder, "root");
	await mkdir(root);
	say(`base: ${base.suite}`);
	const { packages: wanted } = base;
	await layBase(root, { kind: "runner", base, architecture, packages: wanted, mirror: options.mirror, cache: CACHE }, shop);
	await provision(root, join(AMI, "provision"), parts, shop, say);
	const epoch = await epochOf(shop);
	const agent = { version, sha256: parts.env.AGENT_SHA256 };
	const runner = { version: parts.env.RUNNER_VERSION, sha256: parts.env.RUNNER_SHA256 };
	const { packages, text } = await billOf(root, base.suite, options.base, [agent, runner], epoch, shop);
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
		...{ base: options.base, suite: base.suite, architecture, agent },
		runner: { kind: options.runner === "stand-in" ? "stand-in" : "release", ...runner },
		kernel: { file: `${out}.vmlinuz`, cmdline: CMDLINE.join(" ") },
		...{ rootStartMiB: rootStart(espMiB), packages, sbom: `${out}.cdx.json` },
	};
	await writeFile(`${out}.json`, `${JSON.stringify(manifest, null, "\t")}\n`);
	return manifest;
}
