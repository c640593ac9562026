// Programs by other hands that Go builds: once into .cache, each under its version. And a port for those that cannot choose one.
import { existsSync } from "node:fs";
import { cp, mkdir, rename, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

/** Where built programs lie. */
export const FOLDER = join(import.meta.dir, "..", "..", ".cache", "bin");

export interface GoProgram {
	/** Of its main package, whose last part is the program's name. */
	path: string;
	version: string;
	/** Whether its go.mod replaces other modules, which `go install` refuses: it is built from a copy of its source. */
	replaces?: boolean;
}

const nameOf = ({ path }: GoProgram) => path.split("/").at(-1) ?? "";

/** Where it is once it is built. */
export function goBinary(program: GoProgram): string {
	return join(FOLDER, `${nameOf(program)}-${program.version}`);
}

async function run(command: string[], cwd: string, env: Record<string, string> = {}): Promise<string> {
	const child = Bun.spawn(command, { cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe", env: { ...process.env, ...env } });
	const [out, problem, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
	if (code !== 0) throw new Error(`${command.join(" ")}: ${(problem || out).trim()}`);
	return out;
}

async function buildCopy(target: string, name: string, folder: string): Promise<void> {
	const { Dir } = JSON.parse(await run(["go", "mod", "download", "-json", target], folder)) as { Dir: string };
	const source = join(folder, "source");
	await cp(Dir, source, { recursive: true });
	await run(["chmod", "-R", "u+w", source], folder);
	await run(["go", "build", "-ldflags", "-s -w", "-o", join(folder, name), "."], source);
}

/** Builds it unless it is there, and gives its path. Throws with Go's own words. */
export async function installGoProgram(program: GoProgram): Promise<string> {
	const binary = goBinary(program);
	if (existsSync(binary)) return binary;
	const name = nameOf(program);
	const fresh = join(FOLDER, `.go-${process.pid}-${name}`);
	await mkdir(fresh, { recursive: true });
	const target = `${program.path}@${program.version}`;
	if (program.replaces) await buildCopy(target, name, fresh);
	else await run(["go", "install", target], fresh, { GOBIN: fresh });
	await rename(join(fresh, name), binary);
	await rm(fresh, { recursive: true, force: true });
	return binary;
}

export async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const address = server.address();
	await new Promise((resolve) => server.close(resolve));
	return typeof address === "object" && address !== null ? address.port : 0;
}
