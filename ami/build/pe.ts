// Where an EFI program's sections lie, read from its PE header (https://learn.microsoft.com/windows/win32/debug/pe-format). Pure.
import { ImageProblem } from "../problem.ts";

export interface Pe {
	/** What addresses of sections count from in tools that take them as absolute, objcopy among them. */
	imageBase: bigint;
	sectionAlignment: number;
	/** Addresses from the image's base on. */
	sections: { name: string; address: number; size: number }[];
}

const PE32_PLUS = 0x20b;
const SECTION_BYTES = 40;
/** Firmware gives rights to memory page by page: sections do not share one, even where a stub counts in less. */
const PAGE = 0x1000;

/** Throws if the bytes are no 64-bit PE file. */
export function readPe(bytes: Uint8Array): Pe {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	try {
		const header = view.getUint32(0x3c, true);
		const optional = header + 24;
		if (view.getUint16(0) !== 0x4d5a || view.getUint32(header) !== 0x5045_0000 || view.getUint16(optional, true) !== PE32_PLUS)
			throw new RangeError("other magic numbers");
		const table = optional + view.getUint16(header + 20, true);
		const sections = Array.from({ length: view.getUint16(header + 6, true) }, (_, index) => {
			const at = table + index * SECTION_BYTES;
			const name = new TextDecoder().decode(bytes.subarray(at, at + 8)).replace(/\0+$/, "");
			const size = Math.max(view.getUint32(at + 8, true), view.getUint32(at + 16, true));
			return { name, address: view.getUint32(at + 12, true), size };
		});
		return { imageBase: view.getBigUint64(optional + 24, true), sectionAlignment: view.getUint32(optional + 32, true), sections };
	} catch (cause) {
		throw new ImageProblem("uki", "the stub is no 64-bit PE file", { cause });
	}
}

/** Absolute addresses for more sections of these sizes: behind the last one that there is, each behind the one before. */
export function addressesFor({ imageBase, sectionAlignment, sections }: Pe, sizes: number[]): bigint[] {
	const alignment = Math.max(sectionAlignment, PAGE);
	const aligned = (address: number) => Math.ceil(address / alignment) * alignment;
	let free = aligned(Math.max(0, ...sections.map(({ address, size }) => address + size)));
	return sizes.map((size) => {
		const at = free;
		free = aligned(at + size);
		return imageBase + BigInt(at);
	});
}
