// What is measured: the compiled agent, an empty program of the same compiler, a script that does the least.
import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdirSync, openSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readyParts } from "../../build/ready.ts";
import { keepTrack } from "../running.ts";
import type { StandIns } from "./stand-ins.ts";

export interface Subjects {
	agent: string;
	/** A compiled program that does nothing: what the runtime itself costs. */
	empty: string;
	script: string;
}

/** The runner's stand-in says that it was started, then listens; told of a job, it has one. */
const RUNNER = `#!/bin/sh
echo up > "$0.pipe"
echo "$(date -u '+%Y-%m-%d %H:%M:%SZ'): Listening for Jobs"
[ -e "$0.job" ] && echo "$(date -u '+%Y-%m-%d %H:%M:%SZ'): Running job: build"
exec sleep 3600
`;

export async function makeSubjects(folder: string): Promise<Subjects> {
	const empty = join(folder, "empty");
	writeFileSync(`${empty}.ts`, "export {};\n");
	const build = ["build", `${empty}.ts`, "--compile", "--minify", "--bytecode", "--format=esm", "--outfile", empty];
	execFileSync(process.execPath, build, { stdio: "ignore" });
	return { agent: (await readyParts()).agent, empty, script: join(import.meta.dir, "boot.sh") };
}

export interface Machine {
	pid: number;
	/** `performance.now()` before it was started and when its runner was. */
	begun: number;
	/** Resolves once the runner has been started. */
	started: Promise<number>;
	stop(): Promise<void>;
}

/** Starts a subject as a machine's only program, in a folder of its own. */
export async function startMachine(command: string, folder: string, stands: StandIns, hasJob = false): Promise<Machine> {
	const root = join(folder, crypto.randomUUID());
	const runner = join(root, "bin/Runner.Listener");
	mkdirSync(join(root, "bin"), { recursive: true });
	writeFileSync(runner, RUNNER, { mode: 0o755 });
	if (hasJob) writeFileSync(`${runner}.job`, "");
	execFileSync("mkfifo", [`${runner}.pipe`]);
	const pipe = openSync(`${runner}.pipe`, constants.O_RDWR | constants.O_NONBLOCK);
	stands.forget();
	const begun = performance.now();
	const child = Bun.spawn([command], {
		...{ cwd: "/", detached: true, stdio: ["ignore", "ignore", "ignore"] },
		env: {
			...{ PATH: process.env.PATH ?? "/usr/bin:/bin", MAYFLY_IMDS_URL: stands.imdsUrl, MAYFLY_MAILBOX_URL: stands.mailboxUrl },
			...{ MAYFLY_RUNNER_ROOT: root, MAYFLY_STATE_DIR: join(root, "state"), MAYFLY_RUNNER_USER: "", MAYFLY_POWER_OFF: "true" },
		},
	});
	const stop = async () => {
		try {
			process.kill(-child.pid, "SIGKILL");
		} catch {
			// The whole group has ended.
		}
		await child.exited;
		closeSync(pipe);
	};
	return keepTrack({ pid: child.pid, begun, started: heard(pipe), stop });
}

const PATIENCE_MS = 20_000;

/** When something comes through a pipe. */
async function heard(pipe: number): Promise<number> {
	const reader = Bun.file(pipe).stream().getReader();
	const read = await Promise.race([reader.read(), Bun.sleep(PATIENCE_MS)]);
	if (read === undefined) throw new Error("the runner was not started");
	return performance.now();
}

/** Wall time of a program that ends by itself, ms. */
export async function wallOf(command: string): Promise<number> {
	const begun = performance.now();
	await Bun.spawn([command], { cwd: "/", env: {}, stdio: ["ignore", "ignore", "ignore"] }).exited;
	return performance.now() - begun;
}

/** Resident memory of a process now, MiB. */
export async function rssOf(pid: number): Promise<number> {
	const status = await readFile(`/proc/${pid}/status`, "utf8");
	return Number(/^VmRSS:\s+([0-9]+) kB/m.exec(status)?.[1]) / 1024;
}

/** CPU time of a process so far, of its own and of the children it waited for, seconds. */
export async function cpuOf(pid: number): Promise<number> {
	const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
	// utime, stime, cutime, cstime in ticks of 10 ms (proc_pid_stat(5)).
	return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0) / 100;
}
