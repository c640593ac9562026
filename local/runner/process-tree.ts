// Processes below a process, and those that carry a mark in their environment. Best effort by `ps` where there is no /proc.
import { readdirSync, readFileSync } from "node:fs";

function runPs(...args: string[]): string[] {
	return Bun.spawnSync(["ps", ...args])
		.stdout.toString()
		.split("\n");
}

/** Parent by process id. */
function parents(): Map<number, number> {
	if (process.platform !== "linux") {
		const rows = runPs("-axo", "pid=,ppid=").map((line) => line.trim().split(/\s+/).map(Number));
		return new Map(rows.flatMap(([pid, parent]) => (pid && parent !== undefined ? [[pid, parent] as const] : [])));
	}
	const found = new Map<number, number>();
	for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
		const stat = readProcess(pid, "stat");
		// The name in brackets may hold anything, so count from its end.
		const parent = stat === null ? undefined : stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
		if (parent !== undefined) found.set(Number(pid), Number(parent));
	}
	return found;
}

function readProcess(pid: string, file: string): string | null {
	try {
		return readFileSync(`/proc/${pid}/${file}`, "utf8");
	} catch {
		return null;
	}
}

/** The process and all below it. */
export function treeOf(pid: number): number[] {
	const all = parents();
	const tree = [pid];
	for (const member of tree) for (const [child, parent] of all) if (parent === member && !tree.includes(child)) tree.push(child);
	return tree;
}

/** Processes whose environment has this `NAME=value`, this one excepted. */
export function processesWith(mark: string): { pid: number; name: string }[] {
	if (process.platform !== "linux") {
		const lines = runPs("-axEww", "-o", "pid=,command=").filter((line) => line.includes(mark));
		return lines.map((line) => ({ pid: Number.parseInt(line, 10), name: line.trim().split(/\s+/)[1] ?? "" })).filter(({ pid }) => pid > 1);
	}
	const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
	return pids
		.filter((pid) => readProcess(pid, "environ")?.split("\0").includes(mark))
		.map((pid) => ({ pid: Number(pid), name: readProcess(pid, "comm")?.trim() ?? "" }));
}

/** Sends a signal; a process that is gone needs none. */
export function signalProcess(pid: number, name: NodeJS.Signals): void {
	try {
		process.kill(pid, name);
	} catch {
		// It has ended.
	}
}
