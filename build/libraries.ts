// Which libraries are in a part: those whose files the bundler takes in from its entry, with version and checksum of the lock file. Touches Bun's bundler.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";

export interface Library {
	name: string;
	version: string;
	/** `sha512-<base64>`, as the registry has it. */
	integrity: string;
}

const root = join(import.meta.dir, "..");
const Metafile = v.object({ inputs: v.record(v.string(), v.unknown()) });
const Lock = v.object({ packages: v.record(v.string(), v.looseTuple([v.string()])) });

/** The lock file's key of the library that a bundled file is of, such as `pino/node_modules/x` -> `pino/x`; null for our own. Pure. */
export function libraryKey(path: string): string | null {
	const parts = path.split("node_modules/").slice(1);
	if (parts.length === 0) return null;
	return parts
		.map((part) =>
			part
				.split("/")
				.slice(0, part.startsWith("@") ? 2 : 1)
				.join("/"),
		)
		.join("/");
}

/** Libraries of the lock file by their keys. Throws for one that is not in it: nothing else may be in a part. Pure. */
export function lockedLibraries(lock: unknown, keys: Iterable<string>): Library[] {
	const { packages } = v.parse(Lock, lock);
	return [...new Set(keys)].toSorted().map((key) => {
		const entry = packages[key];
		if (entry === undefined) throw new Error(`bun.lock has no ${key}`);
		const at = entry[0].lastIndexOf("@");
		return { name: entry[0].slice(0, at), version: entry[0].slice(at + 1), integrity: String(entry.at(-1)) };
	});
}

/** Bundles an entry for the record alone. */
export async function librariesOf(entry: string): Promise<Library[]> {
	const folder = await mkdtemp(join(tmpdir(), "mayfly-libraries-"));
	try {
		const metafile = join(folder, "meta.json");
		const made = Bun.spawn(
			[
				...[process.execPath, "build", entry, "--target=bun", "--format=esm", "--external=cloudflare:*"],
				...[`--metafile=${metafile}`, "--outdir", join(folder, "out")],
			],
			{ cwd: root, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
		);
		const [out, err, code] = await Promise.all([new Response(made.stdout).text(), new Response(made.stderr).text(), made.exited]);
		if (code !== 0) throw new Error(`bun build exited with ${code}:\n${out}${err}`);
		const { inputs } = v.parse(Metafile, JSON.parse(await readFile(metafile, "utf8")));
		const keys = Object.keys(inputs).flatMap((path) => libraryKey(path) ?? []);
		return lockedLibraries(Bun.JSONC.parse(await readFile(join(root, "bun.lock"), "utf8")), keys);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}
