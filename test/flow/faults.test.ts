// Each part is killed once in the middle of its work. Whatever that leaves: every job ends, no job keeps two machines, no machine stays.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { driveRun } from "../../local/drive.ts";
import { checkExchange } from "../../local/github/openapi.ts";
import { currentJobs } from "../../local/github/run.ts";
import type { RunSummary } from "../../local/summary.ts";
import { type System, startSystem } from "../../local/system.ts";
import { readWorkflow } from "../../local/workflow/read.ts";

const LONG = 180_000;
/** What takes minutes in an account, in seconds. */
const CLOCKS = {
	...{ firstLease: 2_000, lease: 4_000, checkAfter: 4_000, running: 4_000, goneCheckAfter: 500, offAfter: 4_000, adoptAfter: 8_000 },
	...{ leftAfter: 8_000, absentAfter: 2_000, spareAfter: 2_000, retry: 1_000, seatIdle: 3_000 },
};
const WORKFLOW = `on: push
jobs:
  job:
    strategy: { fail-fast: false, matrix: { n: [1, 2, 3] } }
    runs-on: [self-hosted, linux, x64]
    steps: [{ run: sleep 1 }]
`;

let folder: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "mf-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Told {
	summary: RunSummary;
	system: System;
	problems: string[];
}

/** Runs the workflow on a system in which `break` has prepared one fault, and hands out what is left before the system is stopped. */
async function afterFault(name: string, breakIt: (system: System) => void, look: (told: Told) => void | Promise<void>): Promise<void> {
	const problems: string[] = [];
	const read = readWorkflow("faults.yml", WORKFLOW);
	if (!read.ok) throw new Error(JSON.stringify(read.problems));
	const system = await startSystem({
		...{ folder: join(folder, name), machines: 16, clocks: CLOCKS },
		github: { lostCommunicationMs: 6_000, offlineAfterMs: 3_000, onExchange: (exchange) => problems.push(...checkExchange(exchange)) },
	});
	try {
		broken = 0;
		breakIt(system);
		const summary = await driveRun(system, read.workflow, { signal: AbortSignal.timeout(LONG) });
		await look({ summary, system, problems });
	} finally {
		await system.stop();
	}
}

let broken = 0;
/** Breaks something once, and counts that it did: a test whose fault never came would prove nothing. */
function once(act: () => Promise<void>): () => Promise<void> {
	let done = false;
	return async () => {
		if (done) return;
		done = true;
		await act();
		broken++;
	};
}

function expectNothingLeft({ summary, system, problems }: Told): void {
	expect(broken).toBe(1);
	expect(summary.jobs.map(({ conclusion }) => typeof conclusion)).toEqual(["string", "string", "string"]);
	expect(summary.instances.alive).toBe(0);
	const runner = system.github.runs().flatMap((run) => currentJobs(run).map((job) => job.runner?.name ?? job.name));
	expect(new Set(runner).size).toBe(runner.length);
	expect(problems).toEqual([]);
}

const conclusions = ({ jobs }: RunSummary) => jobs.map(({ conclusion }) => conclusion);

describe("after a SIGKILL", () => {
	test(
		"of the relay right after its first 202, every job runs on one machine",
		async () => {
			const breakIt = (system: System) => {
				const crash = once(async () => {
					await system.relay.kill("SIGKILL");
					await Bun.sleep(500);
					await system.restartRelay();
				});
				const watch = setInterval(() => {
					if (!system.github.deliveries().some(({ statusCode }) => statusCode === 202)) return;
					clearInterval(watch);
					void crash();
				}, 1);
			};
			await afterFault("relay", breakIt, (told) => {
				expectNothingLeft(told);
				expect(conclusions(told.summary)).toEqual(["success", "success", "success"]);
				expect(told.summary.instances.launched).toBe(3);
			});
		},
		LONG,
	);

	test(
		"of the poller between CreateFleet and settle, the same launch is found again, not made twice",
		async () => {
			const breakIt = (system: System) => {
				const crash = once(() => system.poller.restart());
				system.ec2.faults.onCall = ({ action }, phase) => (action === "CreateFleet" && phase === "applied" ? crash() : undefined);
			};
			await afterFault("poller", breakIt, (told) => {
				expectNothingLeft(told);
				expect(conclusions(told.summary)).toEqual(["success", "success", "success"]);
				expect(told.summary.instances.launched).toBe(3);
				expect(told.system.ec2.calls().filter(({ action }) => action === "CreateFleet").length).toBeGreaterThan(1);
			});
		},
		LONG,
	);

	test(
		"of an agent before its job, the job gets another machine",
		async () => {
			const breakIt = (system: System) => {
				const crash = once(async () => {
					const machine = system.ec2.instances().find(({ state }) => state === "running");
					if (!machine || !system.ec2.kill(machine.instanceId, "SIGKILL")) throw new Error("there was no agent to kill");
				});
				system.ec2.onState(({ state }) => (state === "running" ? void crash() : undefined));
			};
			await afterFault("boot", breakIt, async (told) => {
				expectNothingLeft(told);
				expect(conclusions(told.summary)).toEqual(["success", "success", "success"]);
				expect(told.summary.instances.launched).toBe(4);
				// EC2's own event brings it before the sweep does.
				const log = (await readFile(join(folder, "boot", "poller.log"), "utf8")).split("\n");
				expect(log.some((line) => line.includes('"looked at"') && line.includes("Client.InstanceInitiatedShutdown"))).toBe(true);
			});
		},
		LONG,
	);

	test(
		"of an agent during its job, GitHub ends that job and the others go on",
		async () => {
			const breakIt = (system: System) => {
				system.github.onJob(({ action, job }) => {
					const instanceId = /i-[0-9a-f]{17}/.exec(job.runner?.name ?? "")?.[0];
					if (action !== "in_progress" || job.name !== "job (2)" || !instanceId) return;
					// A job can begin before EC2 calls its machine running.
					setTimeout(() => {
						if (system.ec2.kill(instanceId, "SIGKILL")) broken++;
					}, 300);
				});
			};
			await afterFault("job", breakIt, (told) => {
				expectNothingLeft(told);
				expect(conclusions(told.summary)).toEqual(["success", "failure", "success"]);
				expect(told.summary.jobs[1]?.reason).toContain("lost communication");
				expect(told.summary.instances.launched).toBe(3);
			});
		},
		LONG,
	);
});
