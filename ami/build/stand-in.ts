// The runner's stand-in (local/runner) as a tarball like the one that actions/runner releases: for an image that is tried here.
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { layoutRunner } from "../../local/runner/layout.ts";
import { RUNNER_VERSION } from "../../local/runner/version.ts";
import { ImageProblem } from "../problem.ts";
import { run, type Workshop } from "./command.ts";

const RUNNER = join(import.meta.dir, "..", "..", "local", "runner");
/** Where 30-runner.sh unpacks it. */
const ROOT = "/opt/actions-runner";
/** The same bytes from the same files. */
const TAR = "--sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=gnu".split(" ");

/** Writes the tarball and gives its version. The programs run in Bun, as the real ones bring their own runtime. */
export async function makeStandIn(tarball: string, shop: Workshop): Promise<string> {
	const root = join(shop.folder, "stand-in");
	await mkdir(root, { recursive: true });
	await layoutRunner(root, { bun: `${ROOT}/externals/bun`, programs: `${ROOT}/bin`, clocks: {} });
	const entrypoints = ["listener.ts", "worker.ts"].map((name) => join(RUNNER, name));
	const built = await Bun.build({ entrypoints, target: "bun", minify: true, outdir: join(root, "bin"), naming: "[name].ts" });
	if (!built.success) throw new ImageProblem("runner", `the stand-in could not be bundled: ${built.logs.join("; ")}`);
	await copyFile(process.execPath, join(root, "externals/bun"));
	await run("runner", ["chmod", "755", join(root, "externals/bun")], shop);
	await run("runner", ["tar", ...TAR, "-I", "gzip -n -1", "-cf", tarball, "-C", root, "."], shop);
	return RUNNER_VERSION;
}
