// Bundles the poller into the one file that Lambda runs on Node 24: the same bytes from the same sources.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
/** Otherwise the bundler writes each library's own folder on this machine into the bytes. */
const FLAGS = ["--target=node", "--format=esm", "--minify-syntax", "--minify-whitespace", '--define=__dirname="/"'];

/** Bundles poller/handler.ts. Throws with the bundler's own words when it fails. */
export async function buildPoller(outFile: string): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), "mayfly-poller-"));
	try {
		const made = Bun.spawn([process.execPath, "build", "poller/handler.ts", ...FLAGS, `--outfile=${join(folder, "poller.mjs")}`], {
			cwd: root,
			stdin: "ignore",
			stdout: "pipe",
			stderr: "pipe",
		});
		const [out, err, code] = await Promise.all([new Response(made.stdout).text(), new Response(made.stderr).text(), made.exited]);
		if (code !== 0) throw new Error(`bun build exited with ${code}:\n${out}${err}`);
		await writeFile(outFile, await readFile(join(folder, "poller.mjs")));
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}
