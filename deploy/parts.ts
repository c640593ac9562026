// The parts that machines and gateways fetch from the mailbox: those of `bun run build`, and runners that somebody put beside them. Touches files.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { ResolvedFile } from "../contract/config.ts";

export interface Part {
	key: string;
	/** Where it lies here. */
	path: string;
	sha256: string;
}

const NAMES = /^(mayfly-(agent|gateway)-linux-(x64|arm64)|actions-runner-linux-(x64|arm64)-[0-9.]+\.tar\.gz)$/;
const keyOf = (name: string) => `dist/${name}`;

/** Those that are in a folder, by name. */
export async function findParts(folder: string): Promise<Part[]> {
	const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
		if (error.code === "ENOENT") return [];
		throw error;
	});
	const found = names.filter((name) => NAMES.test(name)).toSorted();
	return Promise.all(found.map(async (name) => ({ key: keyOf(name), path: join(folder, name), sha256: await hashOf(join(folder, name)) })));
}

async function hashOf(path: string): Promise<string> {
	const hash = createHash("sha256");
	for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
	return hash.digest("hex");
}

export interface WantedRunner {
	key: string;
	sha256: string;
}

/** The runners' archives that machines would fetch by this mayfly.yml. Pure. */
export function wantedRunners({ runner }: ResolvedFile): WantedRunner[] {
	if (!runner) return [];
	return Object.entries(runner.sha256).flatMap(([arch, sha256]) =>
		sha256 ? [{ key: keyOf(`actions-runner-linux-${arch}-${runner.version}.tar.gz`), sha256 }] : [],
	);
}

/** Parts that are not what mayfly.yml says they are. Pure. */
export function wrongParts(parts: readonly Part[], wanted: readonly WantedRunner[]): string[] {
	return wanted.flatMap(({ key, sha256 }) => {
		const part = parts.find((one) => one.key === key);
		return part && part.sha256 !== sha256 ? [`${part.path} has the sha256 ${part.sha256}, mayfly.yml's runner says ${sha256}`] : [];
	});
}
