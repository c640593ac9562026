// Compiles a program of ours: one file for a machine with nothing but its kernel's ABI, the same bytes from the same sources.
import { copyFile, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { version } from "../package.json";
import { pinnedRuntime } from "./runtime.ts";

export type Target = "linux-x64" | "linux-arm64" | "darwin-arm64" | "darwin-x64";

const root = join(import.meta.dir, "..");

/**
 * What lies where such a program stands may be somebody else's, `.env` and `bunfig.toml` too: it must never read them (AWS.md 7). Split, so that what
 * the agent needs after its first request to IMDS is read after it (docs/benchmarks.md).
 */
const FLAGS = "--compile --splitting --minify --bytecode --format=esm --no-compile-autoload-dotenv --no-compile-autoload-bunfig".split(" ");

/** `__dirname` would put the place of the checkout into the bytes; only pino's worker threads ask for it, and none are started. */
async function compile(entry: string, target: Target, outFile: string): Promise<void> {
	// This machine's own Bun goes into what is for this machine.
	const other = target !== `${process.platform}-${process.arch}`;
	const runtime = other ? [`--compile-executable-path=${await pinnedRuntime(target)}`] : [];
	const defines = ["--define", `MAYFLY_VERSION=${JSON.stringify(version)}`, "--define", `__dirname="/"`];
	const made = Bun.spawn(
		[process.execPath, "build", entry, ...FLAGS, `--target=bun-${target}`, ...runtime, ...defines, "--outfile", outFile],
		{
			...{ cwd: root, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
		},
	);
	const [out, err, code] = await Promise.all([new Response(made.stdout).text(), new Response(made.stderr).text(), made.exited]);
	if (code !== 0) throw new Error(`bun build exited with ${code}:\n${out}${err}`);
}

/** Another filesystem than the temporary one cannot be renamed to. */
async function move(from: string, to: string): Promise<void> {
	await rename(from, to).catch(async () => {
		await copyFile(from, `${to}.part`);
		await rename(`${to}.part`, to);
	});
}

/** Compiles an entry file. Its name goes into the bytes (FACTS 8), so it is always the same one. Throws with Bun's own words when it fails. */
export async function buildProgram(name: string, entry: string, target: Target, outFile: string): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), "mayfly-program-"));
	try {
		await compile(entry, target, join(folder, name));
		await move(join(folder, name), outFile);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}
