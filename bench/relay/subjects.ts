// What is measured: each worker in a workerd of its own, built into one file.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readyParts } from "../../build/ready.ts";
import { type Relay, startRelay } from "../../local/relay.ts";
import { keepTrack } from "../running.ts";
import { VARS } from "./deliveries.ts";

export const SUBJECTS = ["bare", "signature", "object", "relay"] as const;
export type Subject = (typeof SUBJECTS)[number];

/** No bench comes near the cap on open jobs. */
const VARIABLES = { ...VARS, MAX_OPEN_JOBS: "9999999" };

export interface Running extends Relay {
	subject: Subject;
	stateDir: string;
	port: number;
}

/** The built file of a subject. */
export async function bundleOf(subject: Subject, folder: string): Promise<string> {
	if (subject === "relay") return (await readyParts()).relay;
	const entry = join(import.meta.dir, "workers", `${subject}.ts`);
	const external = ["cloudflare:workers"];
	await Bun.build({ entrypoints: [entry], outdir: folder, target: "browser", format: "esm", external, conditions: ["workerd"] });
	return join(folder, `${subject}.js`);
}

/** A folder that is removed at the end, whatever happens. */
export async function temporaryFolder() {
	const path = await mkdtemp(join(tmpdir(), "mayfly-bench-"));
	return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Starts a subject on fresh storage below a folder, or on that of a folder. */
export async function startSubject(subject: Subject, folder: string, vars: Record<string, string> = {}, before?: string): Promise<Running> {
	const stateDir = before ?? join(folder, `${subject}-${crypto.randomUUID()}`);
	const relay = await keepTrack(await startRelay({ bundle: await bundleOf(subject, folder), stateDir, vars: { ...VARIABLES, ...vars } }));
	return { ...relay, subject, stateDir, port: Number(new URL(relay.url).port) };
}
