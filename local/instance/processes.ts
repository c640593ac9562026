// Ends every process of one stand-in machine: its process group, and whatever a job detached from it. A real machine loses power;
// here the processes are known by their environment, which names the machine, by where they work, and by whose children they are.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface Machine {
	/** Process group of the agent. */
	pgid: number;
	/** `NAME=value` in the environment of the agent and of whatever keeps it. */
	marker: string;
	/** The machine's own directory, named by its id: whoever has it in the environment is of this machine too. */
	directory: string;
}

const MAX_ROUNDS = 100;

interface Process {
	pid: number;
	parent: number;
	terminal: boolean;
}

/** Null if it has ended, also if it is a zombie: only its parent has not looked yet. */
function readProcess(pid: number): Process | null {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
		const [state = "X", parent, , , tty] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
		return "ZX".includes(state) ? null : { pid, parent: Number(parent), terminal: tty !== "0" };
	} catch {
		return null;
	}
}

/** A process that dropped its environment is known by its working directory, unless it is somebody's shell that looks around there. */
function isMarked({ pid, terminal }: Process, { marker, directory }: Machine): boolean {
	try {
		const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
		if (environment.split("\0").includes(marker) || environment.includes(directory)) return true;
		return !terminal && `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${directory}/`);
	} catch {
		return false;
	}
}

/** The marked processes and all that descends from them or from the agent. */
function processesOfLinux(machine: Machine): number[] {
	const names = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
	const running = names.flatMap((name) => readProcess(Number(name)) ?? []).filter(({ pid }) => pid !== process.pid);
	const found = new Set(running.filter((each) => each.pid === machine.pgid || isMarked(each, machine)).map(({ pid }) => pid));
	for (let before = -1; before < found.size; ) {
		before = found.size;
		for (const { pid, parent } of running) if (found.has(parent)) found.add(pid);
	}
	return [...found];
}

/** Best effort where there is no /proc: `ps -E` shows the environment of one's own processes. */
function processesByPs({ marker, directory }: Machine): number[] {
	const { stdout } = Bun.spawnSync(["ps", "-axEww", "-o", "pid=,command="]);
	const lines = stdout.toString().split("\n");
	return lines.filter((line) => line.includes(marker) || line.includes(directory)).map((line) => Number.parseInt(line, 10));
}

/** The processes of a machine that still run. */
export function processesOf(machine: Machine): number[] {
	if (process.platform === "linux") return processesOfLinux(machine);
	return processesByPs(machine).filter((pid) => pid > 1 && pid !== process.pid);
}

/** Sends a signal to one process, or to a group by its negated id; false if there is none. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
	try {
		return process.kill(pid, name);
	} catch {
		return false;
	}
}

/** Kills until none is left, since a process may fork while it is being looked for. Resolves with what could not be ended. */
export async function endProcesses(machine: Machine): Promise<number[]> {
	for (let round = 0; round < MAX_ROUNDS; round++) {
		const left = processesOf(machine);
		signal(-machine.pgid, "SIGKILL");
		if (left.length === 0) return [];
		for (const pid of left) signal(pid, "SIGKILL");
		await Bun.sleep(5);
	}
	return processesOf(machine);
}
