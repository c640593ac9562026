// amazon-ec2-metadata-mock, AWS's own IMDS by other hands (FACTS 4.6): built once by Go into .cache, started for a test, stopped by its id.
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

const VERSION = "v1.13.0";
const FOLDER = join(import.meta.dir, "..", "..", ".cache", "bin");
const BINARY = join(FOLDER, `ec2-metadata-mock-${VERSION}`);

export interface MetadataMock {
	url: string;
	stop(): Promise<void>;
}

/** Whether it is there or can be built. */
export function hasMetadataMock(): boolean {
	return existsSync(BINARY) || Bun.which("go") !== null;
}

/** Builds it unless it is there. */
export async function installMetadataMock(): Promise<void> {
	if (existsSync(BINARY)) return;
	const fresh = join(FOLDER, `.go-${process.pid}`);
	await mkdir(fresh, { recursive: true });
	const module = `github.com/aws/amazon-ec2-metadata-mock/cmd/ec2-metadata-mock@${VERSION}`;
	const go = Bun.spawn(["go", "install", module], {
		env: { ...process.env, GOBIN: fresh },
		stdin: "ignore",
		stdout: "ignore",
		stderr: "pipe",
	});
	const problem = await new Response(go.stderr).text();
	if ((await go.exited) !== 0) throw new Error(`go install ${module}: ${problem.trim()}`);
	await rename(join(fresh, "ec2-metadata-mock"), BINARY);
	await rm(fresh, { recursive: true, force: true });
}

/** It cannot choose a port by itself. */
async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const address = server.address();
	await new Promise((resolve) => server.close(resolve));
	return typeof address === "object" && address !== null ? address.port : 0;
}

/** Arguments come after `-n 127.0.0.1 -p <port>`; ready when it answers. */
export async function startMetadataMock(...args: string[]): Promise<MetadataMock> {
	const port = await freePort();
	const [command, ...flags] = args;
	const server = Bun.spawn([BINARY, ...(command ? [command] : []), "-n", "127.0.0.1", "-p", String(port), ...flags], {
		...{ stdin: "ignore", stdout: "ignore", stderr: "ignore" },
	});
	const url = `http://127.0.0.1:${port}`;
	while (
		server.exitCode === null &&
		!(await fetch(url).then(
			() => true,
			() => false,
		))
	)
		await Bun.sleep(20);
	return {
		url,
		async stop() {
			server.kill("SIGKILL");
			await server.exited;
		},
	};
}
