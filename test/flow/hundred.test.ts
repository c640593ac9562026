// A hundred jobs on sixteen machines at once, as in an account at its quota.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunSummary } from "../../local/summary.ts";
import { processesNaming, startLocal } from "./command.ts";

const LONG = 400_000;
const SIX_GIGABYTES = 6 * 1024 ** 3;
let folder: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "mf-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Resident memory of a process in bytes; 0 once it is gone. Pages that processes share are counted for each of them. */
async function residentBytes(pid: number): Promise<number> {
	const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
	return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

test(
	"a hundred copies of one job are each done once on a machine of their own, in less than 6 GB, and none is left",
	async () => {
		const child = startLocal(["--jobs", "100", "--json"], { env: { TMPDIR: folder } });
		const output = new Response(child.stdout).text();
		let peak = 0;
		while (child.exitCode === null) {
			const sizes = await Promise.all((await processesNaming(folder)).map(residentBytes));
			peak = Math.max(
				peak,
				sizes.reduce((sum, size) => sum + size, 0),
			);
			await Promise.race([child.exited, Bun.sleep(250)]);
		}
		const summary: RunSummary = JSON.parse(await output);
		expect([child.exitCode, summary.ok]).toEqual([0, true]);
		expect(summary.jobs.map(({ conclusion }) => conclusion)).toEqual(Array(100).fill("success"));
		expect(new Set(summary.jobs.map(({ instanceId }) => instanceId)).size).toBe(100);
		expect(summary.instances).toEqual({ launched: 100, terminated: 100, alive: 0 });
		process.stderr.write(`peak resident memory of all processes together: ${(peak / 1024 ** 3).toFixed(2)} GiB\n`);
		expect(peak).toBeGreaterThan(100 * 1024 ** 2);
		expect(peak).toBeLessThan(SIX_GIGABYTES);
		expect(await processesNaming(folder)).toEqual([]);
	},
	LONG,
);
