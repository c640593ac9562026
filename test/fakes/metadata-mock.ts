// amazon-ec2-metadata-mock, AWS's own IMDS by other hands (FACTS 4.6): built once by Go into .cache, started for a test, stopped by its id.
import { existsSync } from "node:fs";
import { freePort, goBinary, installGoProgram } from "./go-program.ts";

const PROGRAM = { path: "github.com/aws/amazon-ec2-metadata-mock/cmd/ec2-metadata-mock", version: "v1.13.0" };
const BINARY = goBinary(PROGRAM);

export interface MetadataMock {
	url: string;
	stop(): Promise<void>;
}

/** Whether it is there or can be built. */
export function hasMetadataMock(): boolean {
	return existsSync(BINARY) || Bun.which("go") !== null;
}

/** Builds it unless it is there. */
export const installMetadataMock = () => installGoProgram(PROGRAM);

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
