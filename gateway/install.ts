// Puts a gateway's files in place: written beside what is there, checked by the programs that will read them, then switched at once and taken up.
// Open connections go on: HAProxy's old process serves them to their end. Touches files, HAProxy and nftables.
import { mkdir, readdir, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Files } from "../egress/haproxy.ts";
import { run } from "./command.ts";

/** What HAProxy's unit names: a link to the folder that is installed. */
const CURRENT = "current";
/** What went into the folder, so that a gateway that starts again need not wait for the mailbox. */
export const DOCUMENT = "document.json";

const digestOf = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 16);

/** The name of the folder that is installed; null: none. */
export async function installedFolder(root: string): Promise<string | null> {
	return await readlink(join(root, CURRENT)).then(
		(name) => join(root, name),
		() => null,
	);
}

async function writeAll(folder: string, files: Files): Promise<void> {
	for (const [name, text] of Object.entries(files)) {
		const file = join(folder, name);
		await mkdir(dirname(file), { recursive: true });
		await writeFile(file, text);
	}
}

/** The one before stays, for HAProxy's processes that are still to read it. */
async function forgetOlder(root: string, kept: readonly (string | null)[]): Promise<void> {
	const names = kept.map((folder) => folder?.slice(root.length + 1));
	const older = (await readdir(root)).filter((name) => /^[0-9a-f]{16}$/.test(name) && !names.includes(name));
	await Promise.all(older.map((name) => rm(join(root, name), { recursive: true, force: true })));
}

/** New lists were switched to and not taken up, and those before them could not be put back either: what HAProxy goes by is not known. */
export class NotPutBackError extends Error {
	override name = "NotPutBackError";
}

/** To the folder that is installed from now on; null: none is. */
async function switchTo(root: string, folder: string | null): Promise<void> {
	const link = join(root, `${CURRENT}.next`);
	await rm(link, { force: true });
	if (folder === null) return await rm(join(root, CURRENT), { force: true });
	await symlink(basename(folder), link);
	await rename(link, join(root, CURRENT));
}

async function takeUp(folder: string, reload: readonly string[]): Promise<void> {
	// HAProxy first: nothing is handed over to it before it listens.
	await run(reload);
	await run(["nft", "-f", join(folder, "nftables.conf")]);
}

async function putBack(root: string, before: string | null, reload: readonly string[], cause: unknown): Promise<void> {
	try {
		await switchTo(root, before);
		if (before !== null) await takeUp(before, reload);
	} catch (error) {
		throw new NotPutBackError(`${cause}; the lists before them were not put back: ${error}`, { cause: error });
	}
}

/**
 * `render` gives the files for the folder that they will lie in. Throws CommandError, or what the file system says: then what was there before is
 * there again, unless it is a NotPutBackError.
 */
export async function install(root: string, document: string, render: (folder: string) => Files, reload: readonly string[]): Promise<void> {
	const before = await installedFolder(root);
	const name = digestOf(JSON.stringify([document, render(root)]));
	const folder = join(root, name);
	await writeAll(folder, { ...render(folder), [DOCUMENT]: document });
	await run(["haproxy", "-c", "-f", join(folder, "haproxy.cfg")]);
	await run(["nft", "-c", "-f", join(folder, "nftables.conf")]);
	try {
		await switchTo(root, folder);
		await takeUp(folder, reload);
	} catch (error) {
		if (before !== folder) await putBack(root, before, reload, error);
		throw error;
	}
	await forgetOlder(root, [folder, before]);
}
