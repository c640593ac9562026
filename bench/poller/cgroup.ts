// A control group with the memory and the share of a CPU that Lambda gives a function of some size. Touches /sys/fs/cgroup.
import { existsSync } from "node:fs";
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const ROOT = "/sys/fs/cgroup";
/** Lambda gives one vCPU for each 1,769 MB (docs.aws.amazon.com, "Configure Lambda function memory"). */
const MB_PER_CPU = 1769;
/** Lambda shares by 20 ms (FACTS 7). */
const PERIOD_US = 20_000;

export interface Limited {
	/** Runs a command inside: put it before the command. */
	under: string[];
	/** Bytes that were used at once, pages of files included, at most. */
	peakBytes(): Promise<number>;
	/** Whether the kernel ended something for want of memory. */
	wasKilled(): Promise<boolean>;
	remove(): Promise<void>;
}

export function cpuShare(memoryMb: number): number {
	return memoryMb / MB_PER_CPU;
}

async function write(folder: string, file: string, value: string | number): Promise<void> {
	await writeFile(join(folder, file), String(value));
}

/** The kernel has one of two layouts: one tree for all, or one for each controller. */
async function makeGroups(name: string, memoryMb: number): Promise<{ folders: string[]; memory: string; peak: string; kills: string }> {
	const bytes = memoryMb * 1024 * 1024;
	const quota = Math.round(cpuShare(memoryMb) * PERIOD_US);
	if (existsSync(join(ROOT, "cgroup.controllers"))) {
		const folder = join(ROOT, name);
		await write(ROOT, "cgroup.subtree_control", "+cpu +memory");
		await mkdir(folder);
		await write(folder, "cpu.max", `${quota} ${PERIOD_US}`);
		await write(folder, "memory.max", bytes);
		return { folders: [folder], memory: folder, peak: "memory.peak", kills: "memory.events" };
	}
	const [cpu, memory] = [join(ROOT, "cpu", name), join(ROOT, "memory", name)];
	await Promise.all([cpu, memory].map((folder) => mkdir(folder)));
	await write(cpu, "cpu.cfs_period_us", PERIOD_US);
	await write(cpu, "cpu.cfs_quota_us", quota);
	await write(memory, "memory.limit_in_bytes", bytes);
	return { folders: [cpu, memory], memory, peak: "memory.max_usage_in_bytes", kills: "memory.oom_control" };
}

/** Makes the group. Throws where control groups cannot be made, which takes root. */
export async function limitTo(memoryMb: number): Promise<Limited> {
	const { folders, memory, peak, kills } = await makeGroups(`mayfly-bench-${process.pid}-${memoryMb}`, memoryMb);
	const enter = folders.map((folder) => `echo $$ > ${folder}/cgroup.procs`).join(" && ");
	return {
		under: ["/bin/sh", "-c", `${enter} && exec "$0" "$@"`],
		peakBytes: async () => Number(await readFile(join(memory, peak), "utf8")),
		wasKilled: async () => /^oom_kill [1-9]/m.test(await readFile(join(memory, kills), "utf8")),
		async remove() {
			for (const folder of folders) await removePatiently(folder);
		},
	};
}

/** The kernel lets go of a process a moment after its end. */
async function removePatiently(folder: string): Promise<void> {
	for (let tried = 1; ; tried++) {
		try {
			return await rmdir(folder);
		} catch (error) {
			if (tried === 50) throw error;
			await Bun.sleep(20);
		}
	}
}
