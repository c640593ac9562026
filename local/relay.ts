// The relay on this machine: the built bundle in raw workerd, with its storage in a folder that outlives a kill. Touches processes.
import { closeSync, existsSync, openSync } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import workerd from "workerd";
import { workerdConfig } from "./relay-config.ts";

export interface RelayOptions {
	/** The built relay (`dist/relay.js`). */
	bundle: string;
	/** Storage, generated configuration, port and log. A relay started again on it goes on where the last one stopped, at the same URL. */
	stateDir: string;
	/** Secrets and variables by name, as wrangler would set them. */
	vars: Record<string, string>;
	/** Default: the port used before in this folder, else a free one. */
	port?: number;
}

export interface Relay {
	url: string;
	pid: number;
	/** What the relay printed so far: one JSON line for each decision. */
	logFile: string;
	/** Sends a signal and waits for the end of the process. */
	kill(signal: NodeJS.Signals): Promise<void>;
	stop(): Promise<void>;
}

async function portOf(options: RelayOptions): Promise<number> {
	const file = join(options.stateDir, "port");
	return options.port ?? (existsSync(file) ? Number(await readFile(file, "utf8")) : 0);
}

async function prepare({ bundle, stateDir, vars }: RelayOptions): Promise<void> {
	await mkdir(join(stateDir, "storage"), { recursive: true });
	await copyFile(bundle, join(stateDir, "relay.js"));
	await writeFile(join(stateDir, "relay.capnp"), await workerdConfig(Object.keys(vars)));
}

/** Reads the port from workerd's control stream, which names each socket once it listens. */
async function listening(control: number, logFile: string): Promise<number> {
	let said = "";
	const decoder = new TextDecoder();
	for await (const chunk of Bun.file(control).stream()) {
		said += decoder.decode(chunk, { stream: true });
		const port = /"event":"listen","socket":"http","port":([0-9]+)/.exec(said)?.[1];
		if (port) return Number(port);
	}
	throw new Error(`workerd ended before it listened:\n${await readFile(logFile, "utf8")}`);
}

interface Running {
	port: number;
	pid: number;
	kill(signal: NodeJS.Signals): Promise<void>;
}

async function spawn({ stateDir, vars }: RelayOptions, port: number, logFile: string): Promise<Running> {
	const log = openSync(logFile, "a");
	const command = [workerd, "serve", "--control-fd=3", `--socket-addr=http=127.0.0.1:${port}`, "relay.capnp"];
	const child = Bun.spawn(command, { cwd: stateDir, env: vars, stdio: ["ignore", log, log, "pipe"] });
	closeSync(log);
	const kill = async (signal: NodeJS.Signals) => {
		child.kill(signal);
		await child.exited;
	};
	try {
		return { port: await listening(child.stdio[3] as number, logFile), pid: child.pid, kill };
	} catch (error) {
		await kill("SIGKILL");
		throw error;
	}
}

/** Tries for a port that must be had again: a connection of someone else may sit on it for a moment. */
const TRIES = 20;

async function spawnPatiently(options: RelayOptions, port: number, logFile: string): Promise<Running> {
	for (let tried = 1; ; tried++) {
		try {
			return await spawn(options, port, logFile);
		} catch (error) {
			if (port === 0 || tried === TRIES) throw error;
			await Bun.sleep(100);
		}
	}
}

/** Starts the relay and resolves when it listens. Its output goes to `relay.log` in the state folder. */
export async function startRelay(options: RelayOptions): Promise<Relay> {
	const logFile = join(options.stateDir, "relay.log");
	await prepare(options);
	const { port, pid, kill } = await spawnPatiently(options, await portOf(options), logFile);
	await writeFile(join(options.stateDir, "port"), String(port));
	// What it acknowledged is on disk; asked politely, workerd would wait for every long poll to end first.
	return { url: `http://127.0.0.1:${port}`, pid, logFile, kill, stop: () => kill("SIGKILL") };
}
