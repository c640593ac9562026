// `bun run image learn`: watches which pages of the agent's file a boot reads before it has its document, and writes them down as few large
// pieces (ami/files/agent.<arch>.pages), which mayfly-pages.service asks for ahead. Pure but for `learnPages`.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../build/command.ts";
import { ImageProblem } from "../problem.ts";
import { readImage } from "./image-facts.ts";
import { runScene } from "./scene.ts";

const PAGE = 4096;
/** What lies between two pages is read with them up to so much: one read more costs a cold volume more than 64 KiB do. */
export const GAP_PAGES = 16;
/** No boot touches quite the same ones. */
const BOOTS = 3;
const AGENT = "/usr/local/bin/mayfly-agent";
export const PAGES_FILE = join(import.meta.dir, "..", "files", "agent.x64.pages");

interface Extent {
	logical: number;
	physical: number;
	length: number;
}

/** The extents that debugfs' `stat` tells of a file, in blocks of 4 KiB: `(0-4838):157908-162746, (5088):162980`. */
export function extentsIn(stat: string): Extent[] {
	const told = stat.slice(stat.indexOf("EXTENTS:"));
	return [...told.matchAll(/\((\d+)(?:-(\d+))?\):(\d+)/g)].map(([, from, to, physical]) => ({
		logical: Number(from),
		physical: Number(physical),
		length: Number(to ?? from) - Number(from) + 1,
	}));
}

/** Pages of a file that QEMU's trace of a disk saw read: events `pci_nvme_read … count BYTES lba 0xSECTOR`. Sorted. */
export function pagesIn(trace: string, extents: Extent[], partitionAt: number): number[] {
	const pages = new Set<number>();
	for (const [, count, sector] of trace.matchAll(/^pci_nvme_read .*count (\d+) lba 0x([0-9a-f]+)$/gm)) {
		const first = Math.floor((Number.parseInt(sector as string, 16) * 512 - partitionAt) / PAGE);
		for (let block = first; block < first + Math.ceil(Number(count) / PAGE); block += 1) {
			const extent = extents.find(({ physical, length }) => block >= physical && block < physical + length);
			if (extent) pages.add(extent.logical + block - extent.physical);
		}
	}
	return [...pages].toSorted((a, b) => a - b);
}

/** The pages as pieces with no larger gaps between them: offsets and lengths in bytes. */
export function piecesOf(pages: number[], gap = GAP_PAGES): { offset: number; length: number }[] {
	const pieces: [from: number, to: number][] = [];
	for (const page of pages) {
		const last = pieces.at(-1);
		if (last && page - last[1] <= gap + 1) last[1] = page;
		else pieces.push([page, page]);
	}
	return pieces.map(([from, to]) => ({ offset: from * PAGE, length: (to - from + 1) * PAGE }));
}

/** Without the list, and page by page: what is read is what was touched. */
export const LEARNING = {
	"/usr/local/lib/mayfly/agent.pages": null,
	"/etc/systemd/system/mayfly-agent.service.d/learn.conf":
		"[Service]\nExecStartPre=+/bin/sh -c 'echo 4 > /sys/block/nvme0n1/queue/read_ahead_kb'\n",
};

/** Boots and writes the list. Returns the lines that say so. */
export async function learnPages(image: string, folder: string, signal: AbortSignal, say: (text: string) => void): Promise<string> {
	const facts = await readImage(image);
	const traces: string[] = [];
	for (let at = 1; at <= BOOTS; at += 1) {
		const place = join(folder, String(at));
		const options = { image: facts, fault: null, script: "true", files: LEARNING, direct: true, trace: true };
		const { machine } = await runScene({ ...options, folder: place, signal, say });
		if (machine.traceBytes === null) throw new ImageProblem("learn", "the machine never claimed its document");
		traces.push((await readFile(join(machine.folder, "trace"), "utf8")).slice(0, machine.traceBytes));
	}
	const partitionAt = facts.rootStartMiB * 2 ** 20;
	const shop = { folder, log: join(folder, "learn.log"), signal };
	const stat = await run("learn", ["debugfs", "-R", `stat ${AGENT}`, `${facts.file}?offset=${partitionAt}`], shop);
	const pages = pagesIn(traces.join("\n"), extentsIn(stat), partitionAt);
	const pieces = piecesOf(pages);
	await writeFile(PAGES_FILE, pieces.map(({ offset, length }) => `${offset} ${length}\n`).join(""));
	const mib = pieces.reduce((sum, { length }) => sum + length, 0) / 2 ** 20;
	return `${pages.length} pages in ${pieces.length} pieces of ${mib.toFixed(1)} MiB: ${PAGES_FILE}`;
}
