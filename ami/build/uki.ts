// Kernel and command line as one EFI program, with systemd's stub before them: firmware starts it, no boot loader is needed.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { ImageProblem } from "../problem.ts";
import { run, type Workshop } from "./command.ts";
import { addressesFor, readPe } from "./pe.ts";

export interface UkiOptions {
	/** systemd's, of this architecture. */
	stub: string;
	kernel: string;
	cmdline: string[];
	initrd?: string;
}

/** What the firmware can start of a kernel's file: arm64's may be packed with gzip, which only a boot loader would undo. Pure. */
export function efiKernel(file: string, bytes: Uint8Array): Uint8Array {
	let kernel = bytes;
	try {
		if (bytes[0] === 0x1f && bytes[1] === 0x8b) kernel = gunzipSync(bytes);
	} catch (cause) {
		throw new ImageProblem("uki", `the kernel ${file} cannot be unpacked`, { cause });
	}
	if (kernel[0] === 0x4d && kernel[1] === 0x5a) return kernel;
	const begins = Buffer.from(kernel.subarray(0, 4)).toString("hex");
	throw new ImageProblem("uki", `the kernel ${file} is no EFI program: it begins with ${begins}, not with MZ`);
}

/** Writes the program. The kernel is the last section: it may take more room than its file has. */
export async function makeUki(file: string, { stub, kernel, cmdline, initrd }: UkiOptions, shop: Workshop): Promise<void> {
	const bytes = await readFile(stub).catch((cause) => {
		throw new ImageProblem("uki", `${stub} cannot be read (packages: docs/image.md)`, { cause });
	});
	const parts: [name: string, content: Uint8Array][] = [
		["osrel", Buffer.from('ID=mayfly\nPRETTY_NAME="Mayfly"\n')],
		["cmdline", Buffer.from(`${cmdline.join(" ")}\0`)],
		...(initrd === undefined ? [] : [["initrd", await readFile(initrd)] as [string, Uint8Array]]),
		["linux", efiKernel(kernel, await readFile(kernel))],
	];
	const addresses = addressesFor(
		readPe(bytes),
		parts.map(([, content]) => content.length),
	);
	const sections: string[] = [];
	for (const [index, [name, content]] of parts.entries()) {
		const from = join(shop.folder, `uki.${name}`);
		await writeFile(from, content);
		sections.push(`--add-section=.${name}=${from}`, `--change-section-vma=.${name}=0x${addresses[index]?.toString(16)}`);
	}
	// It says of a section that no firmware could load what is wrong, and ends with 0.
	await run("uki", ["objcopy", ...sections, stub, file], shop, { silent: true });
}
