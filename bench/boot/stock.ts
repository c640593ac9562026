// What the image is compared with: the same packages as a distribution boots them, with cloud-init and a start script.
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { layBase } from "../../ami/build/base.ts";
import { runInside } from "../../ami/build/chroot.ts";
import { CMDLINE, keepKernel, makeDisk } from "../../ami/build/disk.ts";
import { CACHE } from "../../ami/build/image.ts";
import { ImageProblem } from "../../ami/problem.ts";
import { type Architecture, readVersions, VERSIONS_FILE } from "../../ami/versions.ts";

export interface Stock {
	disk: string;
	kernel: { file: string; initrd: string; cmdline: string };
}

const SCRIPTS = ["stock.sh", "start.sh"].map((name) => join(import.meta.dir, name));
const CLOUD_INIT = { "cloud-init": "*", "isc-dhcp-client": "*", "initramfs-tools": "*" };
/** As a distribution's image has them, but for what would hide the console. */
const CMDLINE_STOCK = CMDLINE.filter((word) => !/^(systemd\.|fsck\.|rw$)/.test(word)).concat("ro");

async function keyOf(packages: Record<string, string>): Promise<string> {
	const hasher = new Bun.CryptoHasher("sha256").update(JSON.stringify(packages));
	for (const script of SCRIPTS) hasher.update(await readFile(script));
	return hasher.digest("hex").slice(0, 16);
}

async function initrdOf(root: string): Promise<string> {
	const found = (await readdir(join(root, "boot"))).find((name) => name.startsWith("initrd.img-"));
	if (found === undefined) throw new ImageProblem("stock", "no initrd was made");
	return join(root, "boot", found);
}

/** Builds it once for each state of its scripts and packages. */
export async function makeStock(signal: AbortSignal): Promise<Stock> {
	const versions = await readVersions(VERSIONS_FILE);
	const base = versions.bases.debian;
	const packages = { ...base.packages, ...CLOUD_INIT };
	const kept = join(CACHE, `stock-${await keyOf(packages)}`);
	const stock = {
		disk: join(kept, "disk.raw"),
		kernel: { file: join(kept, "vmlinuz"), initrd: join(kept, "initrd"), cmdline: CMDLINE_STOCK.join(" ") },
	};
	if (existsSync(kept)) return stock;
	await mkdir(CACHE, { recursive: true });
	const folder = await mkdtemp(join(CACHE, "work-"));
	const shop = { folder, log: join(CACHE, "stock.log"), signal };
	try {
		const [root, fresh, parts] = ["root", "stock", "parts"].map((name) => join(folder, name)) as [string, string, string];
		for (const each of [root, fresh, parts]) await mkdir(each);
		await writeFile(shop.log, "");
		const architecture = process.arch as Architecture;
		await layBase(root, { kind: "stock", name: "debian", base, architecture, packages, mirror: null, cache: CACHE }, shop);
		await copyFile(SCRIPTS[1] as string, join(parts, "start.sh"));
		await runInside(root, SCRIPTS[0] as string, {}, parts, shop);
		const { sizeMiB, espMiB } = versions.disk;
		await makeDisk({ root, file: join(fresh, "disk.raw"), architecture, sizeMiB, espMiB, epoch: 1 }, shop);
		await keepKernel(root, join(fresh, "vmlinuz"));
		await copyFile(await initrdOf(root), join(fresh, "initrd"));
		await rename(fresh, kept);
		return stock;
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}
