// A root folder as a disk: GPT, an ESP with one program (kernel and command line in one: no boot loader, no initrd), an ext4 root.
// Everything is written into a file: no loop device, nothing is mounted.
import { chmod, copyFile, mkdir, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ImageProblem } from "../problem.ts";
import type { Architecture } from "../versions.ts";
import { run, type Workshop } from "./command.ts";
import { makeUki } from "./uki.ts";

export interface DiskOptions {
	root: string;
	file: string;
	architecture: Architecture;
	sizeMiB: number;
	espMiB: number;
	/** Seconds since 1970 that the disk's own times say. */
	epoch: number;
	/** An initrd, where a disk that is compared with has one. */
	initrd?: string;
	cmdline?: string[];
}

/** A disk and its parts have the same ids in every image: whoever boots a machine boots one of it. */
const IDS = {
	disk: "4d617966-6c79-4d0a-8000-000000000000",
	esp: "4d617966-6c79-4d0a-8000-000000000001",
	root: "4d617966-6c79-4d0a-8000-000000000002",
};
const ROOT_TYPES = { x64: "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709", arm64: "B921B045-1DF0-41C3-AF44-4C6F280D3FAE" };
const ESP_TYPE = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
const EFI = { x64: { stub: "linuxx64.efi.stub", name: "BOOTX64.EFI" }, arm64: { stub: "linuxaa64.efi.stub", name: "BOOTAA64.EFI" } };
const STUBS = "/usr/lib/systemd/boot/efi";
/** Between GPT and the first partition, and behind the last one. */
const EDGE_MIB = 1;

/** No initrd: NVMe and ext4 are in the kernel, which waits for the disk. An EBS volume may be slow, but is never given up. */
export const CMDLINE = [
	...[`root=PARTUUID=${IDS.root}`, "rootfstype=ext4", "rootwait", "rw", "console=ttyS0", "quiet", "panic=1"],
	...["net.ifnames=0", "nvme_core.io_timeout=4294967295", "systemd.gpt_auto=no", "systemd.show_status=no", "fsck.mode=skip"],
];

/** Where a partition begins, in MiB. Pure. */
export const rootStart = (espMiB: number) => EDGE_MIB + espMiB;

/** The script for sfdisk. Pure. */
export function partitionTable({ sizeMiB, espMiB, architecture }: Pick<DiskOptions, "sizeMiB" | "espMiB" | "architecture">): string {
	const root = sizeMiB - rootStart(espMiB) - EDGE_MIB;
	return [
		...["label: gpt", `label-id: ${IDS.disk}`],
		`start=${EDGE_MIB}MiB, size=${espMiB}MiB, type=${ESP_TYPE}, uuid=${IDS.esp}, name=esp`,
		`start=${rootStart(espMiB)}MiB, size=${root}MiB, type=${ROOT_TYPES[architecture]}, uuid=${IDS.root}, name=root`,
	].join("\n");
}

async function onlyKernel(root: string): Promise<string> {
	const kernels = (await readdir(join(root, "boot"))).filter((name) => name.startsWith("vmlinuz-"));
	if (kernels.length !== 1) throw new ImageProblem("uki", `the root has ${kernels.length} kernels: ${kernels.join(", ")}`);
	return join(root, "boot", kernels[0] as string);
}

/** What FAT itself takes of the partition, and more. */
const FAT_BYTES = 2 * 2 ** 20;

/** Throws if the partition is too small for it: mcopy would say less. Pure. */
export function checkFits(name: string, bytes: number, espMiB: number): void {
	if (bytes <= espMiB * 2 ** 20 - FAT_BYTES) return;
	const mib = Math.ceil(bytes / 2 ** 20);
	throw new ImageProblem(
		"esp",
		`${name} has ${mib} MiB, its partition ${espMiB} MiB with what FAT takes: raise disk.espMiB in versions.json`,
	);
}

async function makeEsp(file: string, options: DiskOptions, shop: Workshop): Promise<void> {
	const { architecture, espMiB, epoch, initrd, cmdline = CMDLINE } = options;
	const { stub, name } = EFI[architecture];
	const uki = join(shop.folder, name);
	const kernel = await onlyKernel(options.root);
	await makeUki(uki, { stub: join(STUBS, stub), kernel, cmdline, ...(initrd !== undefined && { initrd }) }, shop);
	checkFits(name, (await stat(uki)).size, espMiB);
	await run("esp", ["touch", "-d", `@${epoch}`, uki], shop);
	await run("esp", ["mkfs.vfat", "-C", "-F", "32", "-n", "ESP", "-i", "4d41594c", "--invariant", file, String(espMiB * 1024)], shop);
	await run("esp", ["mmd", "-i", file, "::/EFI", "::/EFI/BOOT"], shop);
	await run("esp", ["mcopy", "-m", "-i", file, uki, `::/EFI/BOOT/${name}`], shop);
}

async function makeRoot(options: DiskOptions, shop: Workshop): Promise<void> {
	const { root, file, sizeMiB, espMiB, epoch } = options;
	const start = rootStart(espMiB);
	const extended = `offset=${start * 1024 * 1024},hash_seed=${IDS.root},lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0,nodiscard`;
	const size = `${(sizeMiB - start - EDGE_MIB) * 1024}k`;
	const env = { E2FSPROGS_FAKE_TIME: String(epoch), SOURCE_DATE_EPOCH: String(epoch) };
	await run("root", ["mkfs.ext4", "-q", "-F", "-U", IDS.root, "-L", "root", "-m", "1", "-E", extended, "-d", root, file, size], shop, {
		env,
	});
}

/** Writes the disk. Returns how many bytes of it are there: the rest are holes. */
export async function makeDisk(options: DiskOptions, shop: Workshop): Promise<number> {
	const { file, sizeMiB, espMiB } = options;
	const esp = join(shop.folder, "esp.fat");
	await mkdir(join(options.root, "tmp"), { recursive: true });
	await chmod(join(options.root, "tmp"), 0o1777);
	const disk = await open(file, "w");
	await disk.truncate(sizeMiB * 1024 * 1024);
	await disk.close();
	await run("partitions", ["sfdisk", "--quiet", file], shop, { stdin: partitionTable(options) });
	await makeEsp(esp, options, shop);
	const to = `seek=${EDGE_MIB}`;
	await run("esp", ["dd", `if=${esp}`, `of=${file}`, "bs=1M", to, `count=${espMiB}`, "conv=notrunc,sparse", "status=none"], shop);
	await makeRoot(options, shop);
	return (await stat(file)).blocks * 512;
}

/** The kernel beside the disk, for booting it without its firmware. */
export async function keepKernel(root: string, file: string): Promise<void> {
	await copyFile(await onlyKernel(root), file);
}
