// The program that the firmware starts, made by objcopy of systemd's stub as it is here and of one that begins elsewhere, as systemd 254's and later do.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { run, type Workshop } from "../../ami/build/command.ts";
import { addressesFor, readPe } from "../../ami/build/pe.ts";
import { efiKernel, makeUki } from "../../ami/build/uki.ts";

const STUB = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";
const ELSEWHERE = 0x1_4000_0000n;
let shop: Workshop;
let kernel: string;
beforeAll(async () => {
	const folder = await mkdtemp(join(tmpdir(), "mayfly-uki-"));
	shop = { folder, log: join(folder, "log"), signal: new AbortController().signal };
	kernel = join(folder, "vmlinuz");
	await writeFile(kernel, `MZ${"kernel".repeat(100_000)}`);
});
afterAll(() => rm(shop.folder, { recursive: true, force: true }));

/** The stub, with all its addresses so much higher. */
async function stubFrom(higher: bigint): Promise<string> {
	const stub = join(shop.folder, "higher.stub");
	const base = readPe(await readFile(STUB)).imageBase + higher;
	await run("stub", ["objcopy", `--change-addresses=${higher}`, "--image-base", `0x${base.toString(16)}`, STUB, stub], shop);
	return stub;
}

/** As objdump reads it: sections with their absolute addresses. */
async function dumped(file: string): Promise<{ name: string; address: number }[]> {
	const text = await run("objdump", ["objdump", "-h", file], shop);
	return [...text.matchAll(/^ +\d+ (\S+) +[0-9a-f]{8} +([0-9a-f]{16})/gm)].map(([, name = "", address]) => ({
		name,
		address: Number(`0x${address}`),
	}));
}

describe("the EFI program", () => {
	test.each([
		["as it is here", 0n],
		["that begins elsewhere", ELSEWHERE],
	])("of a stub %s has its parts behind the stub's, apart from each other, where firmware loads them", async (_, higher) => {
		const stub = await stubFrom(higher);
		const [file, initrd] = [join(shop.folder, "uki.efi"), join(shop.folder, "initrd")];
		await writeFile(initrd, "initrd".repeat(10_000));
		await makeUki(file, { stub, kernel, cmdline: ["root=/dev/x", "quiet"], initrd }, shop);
		const [before, after] = [readPe(await readFile(stub)), readPe(await readFile(file))];
		expect(after.imageBase).toBe(before.imageBase);
		const [own, added] = [after.sections.slice(0, before.sections.length), after.sections.slice(before.sections.length)];
		expect(own).toEqual(before.sections);
		expect(added.map(({ name }) => name)).toEqual([".osrel", ".cmdline", ".initrd", ".linux"]);
		let taken = Math.max(...own.map(({ address, size }) => address + size));
		for (const { address, size } of added) {
			expect(address).toBeGreaterThanOrEqual(taken);
			taken = address + size;
		}
		expect(taken).toBeLessThan(2 ** 24);
		const absolute = (address: number) => Number(after.imageBase) + address;
		expect(await dumped(file)).toEqual(after.sections.map(({ name, address }) => ({ name, address: absolute(address) })));
	});

	test("holds kernel and command line", async () => {
		const file = join(shop.folder, "uki.efi");
		await makeUki(file, { stub: STUB, kernel, cmdline: ["root=/dev/x", "quiet"] }, shop);
		for (const [name, content] of [
			[".linux", await readFile(kernel, "utf8")],
			[".cmdline", "root=/dev/x quiet\0"],
		] as const) {
			const out = join(shop.folder, "section");
			await run("objcopy", ["objcopy", "-O", "binary", `--only-section=${name}`, file, out], shop);
			expect(await readFile(out, "utf8")).toStartWith(content);
		}
	});

	test("is none where objcopy says that a section cannot be loaded, though it ends well", async () => {
		const command = ["objcopy", `--add-section=.linux=${kernel}`, "--change-section-vma=.linux=0x30000", await stubFrom(ELSEWHERE)];
		const made = run("uki", [...command, join(shop.folder, "bad.efi")], shop, { silent: true });
		await expect(made).rejects.toThrow(/uki: objcopy ended with 0\n.*below image base/);
	});

	test("is none of a stub that is no PE file", () => {
		for (const bytes of [new Uint8Array(), new Uint8Array(4096), Buffer.from("MZ")])
			expect(() => readPe(bytes)).toThrow("the stub is no 64-bit PE file");
	});

	test("has its parts at pages of their own, also where the stub counts in less", () => {
		const sections = [{ name: ".text", address: 0x1000, size: 0x10 }];
		expect(addressesFor({ imageBase: 0x1000_0000n, sectionAlignment: 0x200, sections }, [1, 0x1001, 5])).toEqual([
			...[0x1000_2000n, 0x1000_3000n, 0x1000_5000n],
		]);
	});
});

describe("a kernel", () => {
	test("that is packed with gzip, as arm64's is, is unpacked", () => {
		const bytes = Buffer.from("MZ and so on");
		expect(Buffer.from(efiKernel("vmlinuz", bytes))).toEqual(bytes);
		expect(Buffer.from(efiKernel("vmlinuz", gzipSync(bytes)))).toEqual(bytes);
	});

	test.each([
		["is no EFI program", Buffer.from("\x7fELF"), "begins with 7f454c46, not with MZ"],
		["holds none in its gzip", gzipSync("ELF"), "begins with 454c46, not with MZ"],
		["is broken gzip", gzipSync("MZ").subarray(0, 8), "vmlinuz-6 cannot be unpacked"],
	])("that %s is refused", (_, bytes, says) => {
		expect(() => efiKernel("/boot/vmlinuz-6", bytes)).toThrow(says);
	});
});
