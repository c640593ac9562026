// An instance as EC2 boots it: a directory, a metadata service, a way to the mailbox, and the compiled agent with nothing else in its
// environment. However the agent ends, the machine is off afterwards (DESIGN 9: FailureAction=poweroff-force).
import { closeSync, existsSync, openSync, watch } from "node:fs";
import { chmod, mkdir, realpath, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { type Imds, type MachineFacts, startImds } from "./imds.ts";
import { endProcesses, type Machine, signal } from "./instance/processes.ts";
import type { Endpoint } from "./mailbox.ts";

export interface BootedMachine {
	/** Null once the agent has ended. */
	readonly pid: number | null;
	directory: string;
	announceInterruption(at: number): void;
	recommendRebalance(at: number): void;
	kill(name: NodeJS.Signals): boolean;
	/** Power gone: every process ended, the listeners freed, the directory removed. */
	end(): Promise<void>;
}

/** Starts a machine; calls `off` once when it powers itself off or its agent ends. */
export type Boot = (facts: MachineFacts, off: () => void) => Promise<BootedMachine>;

export interface BootOptions {
	/** The agent's command line; the compiled binary, and in tests a small script. */
	agent: string[];
	/** Where machines get their directories. Keep it short: the agent's socket lives below, and a socket's path has at most 104 characters. */
	directory: string;
	mailbox: { endpointFor(privateIp: string): Endpoint };
	/** Lays the runner out in a directory that exists. */
	prepareRunner: (directory: string) => Promise<void>;
	/** PATH of the machine. */
	path: string;
	/** Added to the agent's environment, such as shorter clocks. */
	env?: Record<string, string>;
	/** Leaves the directories there, with the agents' output, for people to look at. */
	keep?: boolean;
	now?: () => number;
}

/** The agent's stdout and stderr, in the machine's directory. */
export const AGENT_LOG = "agent.log";
const POWER_GRACE_MS = 200;

interface Place {
	directory: string;
	runner: string;
	state: string;
	control: string;
	powerOff: string;
}

/** Without links in it: processes are known by their paths below it. */
async function parentOf(directory: string): Promise<string> {
	await mkdir(directory, { recursive: true });
	return realpath(directory);
}

/** `poweroff` leaves word and returns, like `systemctl poweroff`: the power goes a moment later. */
async function layOut(options: BootOptions, directory: string): Promise<Place> {
	const [runner, state, control, bin] = ["runner", "run", "control", "bin"].map((name) => join(directory, name)) as [
		string,
		string,
		string,
		string,
	];
	for (const folder of [runner, state, control, bin, join(directory, "tmp")]) await mkdir(folder, { recursive: true });
	const powerOff = join(bin, "poweroff");
	await writeFile(powerOff, `#!/bin/sh\n: > '${control.replaceAll("'", "'\\''")}/off'\n`);
	await chmod(powerOff, 0o755);
	await options.prepareRunner(runner);
	return { directory, runner, state, control, powerOff };
}

function environmentOf(place: Place, facts: MachineFacts, imds: Imds, mailbox: Endpoint, options: BootOptions): Record<string, string> {
	return {
		PATH: options.path,
		HOME: place.directory,
		TMPDIR: join(place.directory, "tmp"),
		LANG: "C.UTF-8",
		MAYFLY_INSTANCE: facts.instanceId,
		MAYFLY_IMDS_URL: imds.url,
		MAYFLY_MAILBOX_URL: mailbox.url,
		MAYFLY_RUNNER_ROOT: place.runner,
		MAYFLY_STATE_DIR: place.state,
		MAYFLY_RUNNER_USER: "",
		MAYFLY_POWER_OFF: place.powerOff,
		...options.env,
	};
}

/** In a process group of its own and in `/`, as systemd starts it. */
function startAgent(directory: string, env: Record<string, string>, agent: string[]): Subprocess {
	const log = openSync(join(directory, AGENT_LOG), "a");
	try {
		return Bun.spawn(agent, { cwd: "/", env, detached: true, stdio: ["ignore", log, log] });
	} finally {
		closeSync(log);
	}
}

/** Calls `off` once, when word of the power-off was left or the agent ended by itself. */
function watchPower(place: Place, agent: Subprocess, off: () => void): () => void {
	const told = Promise.withResolvers<void>();
	const look = () => existsSync(join(place.control, "off")) && told.resolve();
	const watcher = watch(place.control, look);
	look();
	void agent.exited.then(() => told.resolve());
	void told.promise.then(off);
	return () => watcher.close();
}

interface Running {
	imds: Imds;
	agent: Subprocess;
	stopListeners(): Promise<unknown>;
}

/** The machine's services, then its agent; without the one the others are of no use. */
function start(place: Place, facts: MachineFacts, options: BootOptions): Running {
	const imds = startImds(facts, options.now);
	const mailbox = options.mailbox.endpointFor(facts.privateIp);
	const stopListeners = () => Promise.all([imds.stop(), mailbox.stop()]);
	try {
		const agent = startAgent(place.directory, environmentOf(place, facts, imds, mailbox, options), options.agent);
		return { imds, agent, stopListeners };
	} catch (error) {
		void stopListeners();
		throw error;
	}
}

function switchOn(place: Place, facts: MachineFacts, off: () => void, options: BootOptions): BootedMachine {
	const { imds, agent, stopListeners } = start(place, facts, options);
	const stopWatching = watchPower(place, agent, off);
	const machine = { pgid: agent.pid, marker: `MAYFLY_INSTANCE=${facts.instanceId}`, directory: place.directory };
	return {
		get pid() {
			return agent.exitCode === null && agent.signalCode === null ? agent.pid : null;
		},
		directory: place.directory,
		announceInterruption: imds.announceInterruption,
		recommendRebalance: imds.recommendRebalance,
		kill: (name) => signal(agent.pid, name),
		async end() {
			stopWatching();
			await cutPower(machine, agent);
			await stopListeners();
			await discard(place.directory, options);
		},
	};
}

async function discard(directory: string, { keep }: BootOptions): Promise<void> {
	if (!keep) await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}

/** Makes the `boot` of startEc2. It throws if the runner cannot be laid out or there is no agent. */
export function createBoot(options: BootOptions): Boot {
	return async (facts, off) => {
		const directory = join(await parentOf(options.directory), facts.instanceId);
		try {
			return switchOn(await layOut(options, directory), facts, off, options);
		} catch (error) {
			await discard(directory, options);
			throw error;
		}
	};
}

/** What an operating system does on its way down: asks, waits a moment, then ends everything. */
async function cutPower(machine: Machine, agent: Subprocess): Promise<void> {
	signal(-machine.pgid, "SIGTERM");
	await Promise.race([agent.exited, Bun.sleep(POWER_GRACE_MS)]);
	const left = await endProcesses(machine);
	await agent.exited;
	if (left.length > 0) throw new Error(`processes of ${machine.marker} could not be ended: ${left.join(", ")}`);
}
