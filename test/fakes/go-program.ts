// Programs by other hands that Go builds: once into .cache, each under its version, with one version of Go whatever the machine has. And a port
// for those that cannot choose one.
import { existsSync } from "node:fs";
import { cp, mkdir, rename, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

/** Where built programs lie. */
export const FOLDER = join(import.meta.dir, "..", "..", ".cache", "bin");

/** What builds them: at least what the go.mod of each asks for. */
const GO = "1.26.8";
const ARCHITECTURES: Partial<Record<NodeJS.Architecture, string>> = { x64: "amd64", arm64: "arm64" };

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

const download = (go: string, module: string) =>
	run([go, "mod", "download", "-json", module], FOLDER).then((told) => (JSON.parse(told) as { Dir: string }).Dir);

/**
 * Go's toolchains are modules (https://go.dev/doc/toolchain#select): any Go fetches them and holds them against the checksum database, Debian's too,
 * which is older than the go.mod files of today and cannot read them. What comes in a module is not executable.
 */
async function fetchGo(): Promise<{ go: string; env: Record<string, string> }> {
	const root = await download(
		"go",
		`golang.org/toolchain@v0.0.1-go${GO}.${process.platform}-${ARCHITECTURES[process.arch] ?? process.arch}`,
	);
	await run(["chmod", "-R", "a+x", join(root, "bin"), join(root, "pkg", "tool")], root);
	return { go: join(root, "bin", "go"), env: { GOROOT: root, GOTOOLCHAIN: "local" } };
}

/** Builds it unless it is there, and gives its path. Throws with Go's own words. */
export async function installGoProgram(program: GoProgram): Promise<string> {
	const binary = goBinary(program);
	if (existsSync(binary)) return binary;
	const name = nameOf(program);
	const fresh = join(FOLDER, `.go-${process.pid}-${name}`);
	await mkdir(fresh, { recursive: true });
	const target = `${program.path}@${program.version}`;
	const { go, env } = await fetchGo();
	if (program.replaces) {
		const source = join(fresh, "source");
		await cp(await download(go, target), source, { recursive: true });
		await run(["chmod", "-R", "u+w", source], fresh);
		// The folder around the copy is another program's repository.
		await run([go, "build", "-buildvcs=false", "-ldflags", "-s -w", "-o", join(fresh, name), "."], source, env);
	} else await run([go, "install", target], fresh, { ...env, GOBIN: fresh });
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
