// Finds and reads what lint looks at. Touches the file system only; a file that cannot be read is an answer, not a throw.
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";

/** GitHub's own limit is lower; a file above this is no workflow. */
const LARGEST = 1024 * 1024;

export type TextReading = { ok: true; text: string } | { ok: false; reason: string };

const refuse = (reason: string): TextReading => ({ ok: false, reason });

/** Reads a file as text. `within` is the folder that symbolic links may not lead out of. */
export async function readText(path: string, within: string | null = null): Promise<TextReading> {
	try {
		const real = await realpath(path);
		if (within !== null && !isInside(real, await realpath(within))) return refuse("is a symbolic link that leads out of the repository");
		const { size, isFile } = await stat(real).then((it) => ({ size: it.size, isFile: it.isFile() }));
		if (!isFile) return refuse("is not a file");
		if (size > LARGEST) return refuse(`has ${size} bytes, more than the ${LARGEST} that are read`);
		return decoded(await readFile(real));
	} catch (error) {
		return refuse(`cannot be read: ${(error as NodeJS.ErrnoException).code ?? error}`);
	}
}

function isInside(path: string, folder: string): boolean {
	const way = relative(folder, path);
	return way !== ".." && !way.startsWith(`..${sep}`);
}

function decoded(bytes: Buffer): TextReading {
	if (bytes.includes(0)) return refuse("is not a text: it holds a NUL");
	try {
		return { ok: true, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
	} catch {
		return refuse("is not a text in UTF-8");
	}
}

/** The paths of a repository's workflows, sorted. Throws when the folder is there and cannot be listed. */
export async function findWorkflows(repository: string): Promise<string[]> {
	const folder = join(repository, ".github", "workflows");
	const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
		if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
		throw error;
	});
	const files = entries.filter((entry) => !entry.isDirectory() && /\.ya?ml$/.test(entry.name));
	return files.map(({ name }) => join(folder, name)).toSorted();
}

/** Where mayfly.yml may lie in a repository, in the order of looking. */
export function configPlaces(repository: string): string[] {
	return [join(repository, "mayfly.yml"), join(repository, ".github", "mayfly.yml")];
}

export async function isThere(path: string, kind: "file" | "folder"): Promise<boolean> {
	const found = await stat(path).catch(() => null);
	return kind === "folder" ? (found?.isDirectory() ?? false) : found !== null;
}
