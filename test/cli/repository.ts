// A repository on disk for a while, and `mayfly lint` run on it as people run it.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const MAIN = join(import.meta.dir, "..", "..", "cli", "main.ts");

export interface Ran {
	code: number;
	out: string;
	err: string;
}

/** Runs the command line in a folder. */
export async function mayfly(folder: string, ...argv: string[]): Promise<Ran> {
	const ran = Bun.spawn([process.execPath, MAIN, ...argv], {
		cwd: folder,
		env: { PATH: process.env.PATH, HOME: folder },
		stdin: "ignore",
		stdout: "pipe",
		stderr: "pipe",
	});
	const [out, err, code] = await Promise.all([new Response(ran.stdout).text(), new Response(ran.stderr).text(), ran.exited]);
	return { code, out, err };
}

/** Writes files by their path, and runs a test with the folder that has them. */
export async function withFiles<T>(files: Record<string, string | Uint8Array>, use: (folder: string) => Promise<T>): Promise<T> {
	const folder = await mkdtemp(join(tmpdir(), "mayfly-lint-"));
	try {
		for (const [path, content] of Object.entries(files)) {
			await mkdir(dirname(join(folder, path)), { recursive: true });
			await writeFile(join(folder, path), content);
		}
		return await use(folder);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

/** `mayfly lint .` in a repository of these files. */
export const lint = (files: Record<string, string | Uint8Array>, ...argv: string[]) =>
	withFiles(files, (folder) => mayfly(folder, "lint", ".", ...argv));

export const CONFIG = `owners: [{ name: octo-org }]
images: { ubuntu: { arch: x64 }, arm: { arch: arm64 } }
presets:
  small: { tier: build, cpu: 2, image: ubuntu, labels: [[self-hosted, linux, x64], ubuntu-22.04] }
  Ship: { tier: deploy, cpu: 2, image: ubuntu }
  open: { tier: loose, cpu: 2, image: ubuntu }
tiers:
  build:
    freeForm: true
    ceiling: { cpu: 16, ram: 64 }
    allow: { events: [push, pull_request, schedule] }
  deploy:
    kind: deploy
    runnerGroupId: 4
    allow:
      events: [push, workflow_dispatch]
      environments: [production, staging-*]
      workflows: [.github/workflows/deploy*.yml]
  loose: { kind: deploy, runnerGroupId: 5, allow: {} }
`;
