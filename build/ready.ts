// The built parts that this machine can run, built once for each state of the sources: for `bun run local` and the tests.
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type AgentTarget, buildAgent } from "./agent.ts";
import { buildPoller } from "./poller.ts";
import { buildRelay } from "./relay.ts";

export interface ReadyParts {
	relay: string;
	poller: string;
	agent: string;
}

const root = join(import.meta.dir, "..");
const SOURCES = "{agent,build,contract,poller,relay}/**/*.ts";
const SETTINGS = ["bun.lock", "package.json", "wrangler.toml"];

async function stateOfSources(): Promise<string> {
	const hasher = new Bun.CryptoHasher("sha256").update(`${process.platform} ${process.arch} ${Bun.version}`);
	const sources = await Array.fromAsync(new Bun.Glob(SOURCES).scan({ cwd: root }));
	for (const name of [...SETTINGS, ...sources.sort()]) hasher.update(`\n${name}\n`).update(await readFile(join(root, name)));
	return hasher.digest("hex").slice(0, 16);
}

async function buildReady(): Promise<ReadyParts> {
	const folder = join(root, ".cache", "build", await stateOfSources());
	const target = `${process.platform}-${process.arch}` as AgentTarget;
	const parts = (at: string): ReadyParts => ({
		relay: join(at, "relay.js"),
		poller: join(at, "poller.mjs"),
		agent: join(at, "mayfly-agent"),
	});
	if (existsSync(folder)) return parts(folder);
	const fresh = `${folder}.${process.pid}`;
	await mkdir(fresh, { recursive: true });
	const made = parts(fresh);
	await Promise.all([buildRelay(made.relay), buildPoller(made.poller), buildAgent(target, made.agent)]);
	await rename(fresh, folder).catch(() => rm(fresh, { recursive: true, force: true }));
	return parts(folder);
}

let ready: Promise<ReadyParts> | undefined;

/** Paths of the built relay, poller and agent for this machine. Builds at most once in a process and once per state of the sources. */
export function readyParts(): Promise<ReadyParts> {
	ready ??= buildReady();
	return ready;
}
