// dist/stack/: what a deployment brings to AWS, as files, for people to look at and for `--dry-run` to end with. Touches files.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buildPoller } from "../build/poller.ts";
import { codeArchive } from "./code-archive.ts";
import type { Plan } from "./plan.ts";

/** What templates call the poller's bundle, relative to cloudformation/. */
export const POLLER_CODE = "../dist/poller.mjs";

/** The poller's archive, built from this checkout each time: an older bundle in dist/ is never deployed. */
export async function buildCode(): Promise<Record<string, Uint8Array>> {
	const folder = await mkdtemp(join(tmpdir(), "mayfly-deploy-"));
	try {
		await buildPoller(join(folder, "poller.mjs"));
		return { [POLLER_CODE]: codeArchive("poller.mjs", await readFile(join(folder, "poller.mjs"))) };
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

/** Writes the plan, in place of what was there. */
export async function stage(folder: string, plan: Plan): Promise<void> {
	await rm(folder, { recursive: true, force: true });
	const files = [
		...plan.artifacts.map(({ key, body }) => ({ path: join("artifacts", key), body })),
		...plan.mailbox.map(({ key, body }) => ({ path: join("mailbox", key), body })),
	];
	for (const { path, body } of files) {
		await mkdir(dirname(join(folder, path)), { recursive: true });
		await writeFile(join(folder, path), body);
	}
}
