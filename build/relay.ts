// Builds the relay as wrangler would deploy it, without deploying: one file, the same bytes from the same sources.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const bin = join(root, "node_modules", ".bin");

/** Wrangler writes below the home folder and asks about telemetry; neither concerns a build (FACTS 8). */
export function quietWrangler(folder: string): Record<string, string> {
	return {
		PATH: process.env.PATH ?? "",
		HOME: folder,
		XDG_CONFIG_HOME: folder,
		XDG_CACHE_HOME: folder,
		WRANGLER_SEND_METRICS: "false",
		WRANGLER_LOG_PATH: folder,
		WRANGLER_WRITE_LOGS: "false",
		CI: "true",
		NO_COLOR: "1",
	};
}

/** How wrangler is started: by Node, since it does not run under Bun. */
export const wranglerCommand = [join(bin, "node"), join(root, "node_modules", "wrangler", "bin", "wrangler.js")];

/** Bundles relay/worker.ts into one file. Throws with wrangler's own words when it fails. */
export async function buildRelay(outFile: string): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), "mayfly-relay-"));
	try {
		const made = Bun.spawn([...wranglerCommand, "deploy", "--dry-run", "--outdir", join(folder, "out")], {
			cwd: root,
			env: quietWrangler(folder),
			stdin: "ignore",
			stdout: "pipe",
			stderr: "pipe",
		});
		const [out, err, code] = await Promise.all([new Response(made.stdout).text(), new Response(made.stderr).text(), made.exited]);
		if (code !== 0) throw new Error(`wrangler exited with ${code}:\n${out}${err}`);
		const bundle = await readFile(join(folder, "out", "worker.js"), "utf8");
		// The map is not shipped, so neither is the comment that points to it.
		await writeFile(outFile, bundle.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n"));
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}
