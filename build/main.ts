// `bun run build`: everything that is deployed, into dist/, with checksums. Two builds of one commit give the same bytes.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildAgent } from "./agent.ts";
import { buildGateway } from "./gateway.ts";
import { buildPoller } from "./poller.ts";
import { buildRelay } from "./relay.ts";

/** Builds all parts into a folder, emptied first, and returns the lines of its SHA256SUMS. */
export async function buildAll(folder: string): Promise<string[]> {
	await rm(folder, { recursive: true, force: true });
	await mkdir(folder, { recursive: true });
	const parts = {
		"mayfly-agent-linux-arm64": (file: string) => buildAgent("linux-arm64", file),
		"mayfly-agent-linux-x64": (file: string) => buildAgent("linux-x64", file),
		"mayfly-gateway-linux-arm64": (file: string) => buildGateway("linux-arm64", file),
		"mayfly-gateway-linux-x64": (file: string) => buildGateway("linux-x64", file),
		"poller.mjs": buildPoller,
		"relay.js": buildRelay,
	};
	for (const [name, build] of Object.entries(parts)) await build(join(folder, name));
	const lines = await Promise.all(
		Object.keys(parts).map(async (name) => {
			const digest = new Bun.CryptoHasher("sha256").update(await readFile(join(folder, name))).digest("hex");
			return `${digest}  ${name}`;
		}),
	);
	await writeFile(join(folder, "SHA256SUMS"), `${lines.join("\n")}\n`);
	return lines;
}

if (import.meta.main) {
	const lines = await buildAll(join(import.meta.dir, "..", "dist"));
	process.stdout.write(`${lines.join("\n")}\n`);
}
