// The built parts that this machine can run, built once for each state of the sources: for `bun run local` and the tests.
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type AgentTarget, buildAgent } from "./agent.ts";
import { buildGateway } from "./gateway.ts";
import { buildPoller } from "./poller.ts";
import { buildRelay } from "./relay.ts";

export interface ReadyParts {
	relay: string;
	poller: string;
	agent: string;
}

const root = join(import.meta.dir, "..");
const SOURCES = "{agent,aws,build,contract,egress,gateway,poller,relay}/**/*.ts";
const SETTINGS = ["bun.lock", "package.json", "wrangler.toml"];

const KEPT_BUILDS = 4;

async function stateOfSources(): Promise<string> {
	const hasher = new Bun.CryptoHasher("sha256").update(`${process.platform} ${process.arch} ${Bun.version}`);
	const sources = await Array.fromAsync(new Bun.Glob(SOURCES).scan({ cwd: root }));
	for (const name of [...SETTINGS, ...sources.sort()]) hasher.update(`\n${name}\n`).update(await readFile(join(root, name)));
	return hasher.digest("hex").slice(0, 16);
}

const TARGET = `${process.platform}-${process.arch}` as AgentTarget;

/** A folder below .cache/build for this state of the sources, filled once. */
async function builtOnce(kind: string, fill: (folder: string) => Promise<unknown>): Promise<string> {
	const folder = join(root, ".cache", "build", `${await stateOfSources()}${kind}`);
	if (existsSync(folder)) return folder;
	const fresh = `${folder}.${process.pid}`;
	await mkdir(fresh, { recursive: true });
	await fill(fresh);
	await rename(fresh, folder).catch(() => rm(fresh, { recursive: true, force: true }));
	await forgetOlder(join(root, ".cache", "build"));
	return folder;
}

async function buildReady(): Promise<ReadyParts> {
	const parts = (at: string): ReadyParts => ({
		relay: join(at, "relay.js"),
		poller: join(at, "poller.mjs"),
		agent: join(at, "mayfly-agent"),
	});
	const fill = async (at: string) => {
		const made = parts(at);
		await Promise.all([buildRelay(made.relay), buildPoller(made.poller), buildAgent(TARGET, made.agent)]);
	};
	return parts(await builtOnce("", fill));
}

/** Each build holds an agent of 100 MB: the newest few stay, since another process may still run one. */
async function forgetOlder(folder: string): Promise<void> {
	const builds = await Promise.all((await readdir(folder)).map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })));
	const older = builds.toSorted((a, b) => b.at - a.at).slice(KEPT_BUILDS);
	await Promise.all(older.map(({ name }) => rm(join(folder, name), { recursive: true, force: true })));
}

let ready: Promise<ReadyParts> | undefined;

/** Paths of the built relay, poller and agent for this machine. Builds at most once in a process and once per state of the sources. */
export function readyParts(): Promise<ReadyParts> {
	ready ??= buildReady();
	return ready;
}

let gateway: Promise<string> | undefined;

/** Path of the gateway's program for this machine, likewise: what runs on one machine has no gateway, so it is built for the tests alone. */
export function readyGateway(): Promise<string> {
	gateway ??= builtOnce("-gateway", (at) => buildGateway(TARGET, join(at, "mayfly-gateway"))).then((at) => join(at, "mayfly-gateway"));
	return gateway;
}
