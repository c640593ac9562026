// Programs by other hands that Go builds: once into .cache, each under its version. And a port for those that cannot choose one.
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

const FOLDER = join(import.meta.dir, "..", "..", ".cache", "bin");

export interface GoProgram {
	/** Of its main package, whose last part is the program's name. */
	path: string;
	version: string;
}

const nameOf = ({ path }: GoProgram) => path.split("/").at(-1) ?? "";

/** Where it is once it is built. */
export function goBinary(program: GoProgram): string {
	return join(FOLDER, `${nameOf(program)}-${program.version}`);
}

/** Builds it unless it is there. Throws with Go's own words. */
export async function installGoProgram(program: GoProgram): Promise<void> {
	if (existsSync(goBinary(program))) return;
	const fresh = join(FOLDER, `.go-${process.pid}-${nameOf(program)}`);
	await mkdir(fresh, { recursive: true });
	const target = `${program.path}@${program.version}`;
	const go = Bun.spawn(["go", "install", target], {
		env: { ...process.env, GOBIN: fresh },
		...{ stdin: "ignore", stdout: "ignore", stderr: "pipe" },
	});
	const problem = await new Response(go.stderr).text();
	if ((await go.exited) !== 0) throw new Error(`go install ${target}: ${problem.trim()}`);
	await rename(join(fresh, nameOf(program)), goBinary(program));
	await rm(fresh, { recursive: true, force: true });
}

export async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const address = server.address();
	await new Promise((resolve) => server.close(resolve));
	return typeof address === "object" && address !== null ? address.port : 0;
}
