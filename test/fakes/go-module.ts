// Tools that come as Go modules: built once into .cache/bin, by their exact versions.
import { existsSync } from "node:fs";
import { cp, mkdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";

export const TOOLS = join(import.meta.dir, "..", "..", ".cache", "bin");

async function run(command: string[], cwd: string, env: Record<string, string> = {}): Promise<string> {
	const child = Bun.spawn(command, { cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe", env: { ...process.env, ...env } });
	const [out, problem, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
	if (code !== 0) throw new Error(`${command.join(" ")}: ${(problem || out).trim()}`);
	return out;
}

/** The path of a tool of a module, such as `github.com/rhysd/actionlint/cmd/actionlint`, at a version. Throws with Go's own words. */
export async function goTool(path: string, version: string): Promise<string> {
	const name = basename(path);
	const binary = join(TOOLS, `${name}-${version}`);
	if (existsSync(binary)) return binary;
	const fresh = join(TOOLS, `.${name}-${process.pid}`);
	await mkdir(fresh, { recursive: true });
	await run(["go", "install", `${path}@${version}`], fresh, { GOBIN: fresh });
	await rename(join(fresh, name), binary);
	await rm(fresh, { recursive: true, force: true });
	return binary;
}

/** The same for a module whose go.mod replaces others, which `go install` refuses: built from a copy of its source. */
export async function goProgram(path: string, version: string): Promise<string> {
	const name = basename(path);
	const binary = join(TOOLS, `${name}-${version}`);
	if (existsSync(binary)) return binary;
	const fresh = join(TOOLS, `.${name}-${process.pid}`);
	await mkdir(fresh, { recursive: true });
	const { Dir } = JSON.parse(await run(["go", "mod", "download", "-json", `${path}@${version}`], fresh)) as { Dir: string };
	const source = join(fresh, "source");
	await cp(Dir, source, { recursive: true });
	await run(["chmod", "-R", "u+w", source], fresh);
	await run(["go", "build", "-ldflags", "-s -w", "-o", join(fresh, name), "."], source);
	await rename(join(fresh, name), binary);
	await rm(fresh, { recursive: true, force: true });
	return binary;
}
