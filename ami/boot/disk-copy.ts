// A machine's own disk: a copy of the image, larger as a volume is, with what this boot is told otherwise. Written without mounting it.
import { copyFile, mkdir, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run, type Workshop } from "../build/command.ts";
import { ImageProblem } from "../problem.ts";

export interface DiskCopy {
	image: string;
	rootStartMiB: number;
	/** Of the volume. */
	sizeMiB: number;
	/** By their paths; null removes one. */
	files: Record<string, string | null>;
}

/** debugfs says what went wrong and ends with 0. */
async function debugfs(file: string, rootStartMiB: number, commands: string[], shop: Workshop): Promise<void> {
	const script = join(shop.folder, "debugfs.commands");
	await writeFile(script, `${commands.join("\n")}\n`);
	const said = await run("disk", ["debugfs", "-w", "-f", script, `${file}?offset=${rootStartMiB * 1024 * 1024}`], shop);
	const problem = said
		.split("\n")
		.find((line) => /: (?!.*(already exists|Ext2 directory already)).*(not found|error|cannot|no such)/i.test(line));
	if (problem !== undefined) throw new ImageProblem("disk", problem);
}

/** Every folder above a path, the outermost first. */
const foldersOf = (path: string): string[] => (dirname(path) === "/" ? [] : [...foldersOf(dirname(path)), dirname(path)]);

/** Makes the disk in the machine's folder. */
export async function copyDisk({ image, rootStartMiB, sizeMiB, files }: DiskCopy, shop: Workshop): Promise<string> {
	const disk = join(shop.folder, "disk.raw");
	await run("disk", ["cp", "--sparse=always", "--reflink=auto", image, disk], shop);
	await truncate(disk, sizeMiB * 1024 * 1024);
	const staged = join(shop.folder, "files");
	await mkdir(staged, { recursive: true });
	const commands: string[] = [];
	for (const [at, [path, content]] of Object.entries(files).entries()) {
		const from = join(staged, String(at));
		commands.push(`rm ${path}`);
		if (content === null) continue;
		await writeFile(from, content, { mode: path.startsWith("/usr/local/bin/") ? 0o755 : 0o600 });
		commands.push(...foldersOf(path).map((folder) => `mkdir ${folder}`), `write ${from} ${path}`);
	}
	if (commands.length > 0) await debugfs(disk, rootStartMiB, commands, shop);
	return disk;
}

/** The firmware's variables are the machine's own. */
export async function copyVariables(from: string, to: string): Promise<void> {
	await copyFile(from, to).catch((cause) => {
		throw new ImageProblem("firmware", `${from} cannot be read (packages: docs/image.md)`, { cause });
	});
}
