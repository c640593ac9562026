// The units that ship, under a real systemd in namespaces of its own: whatever becomes of the agent, the machine goes off.
import { describe, expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "./documents.ts";
import { bootUnits, type Units } from "./units.ts";

const JOB = { GITHUB_REPOSITORY: REPOSITORY, GITHUB_EVENT_NAME: "push", GITHUB_REF: "refs/heads/main" };
const LIMITS = { idle: 60_000, maxJob: 60_000, deadline: Date.now() + 600_000, hold: 0, linger: 50 };
const MINUTE = 60_000;

async function until(isTrue: () => boolean): Promise<void> {
	while (!isTrue()) await Bun.sleep(20);
}
/** The first process that runs the agent's program: systemd names it so once it has become it. */
const agentOf = ({ pidOf }: Units) => pidOf("mayfly-agent") ?? 0;
const running = ({ phases }: Units) => until(() => phases().includes("running"));

describe("under systemd", () => {
	test(
		"a job runs in a unit of its own, as its own user, without the agent's sandbox, and the machine goes off",
		async () => {
			let [agentGroup, runnerGroup, status] = ["", "", ""];
			const end = await bootUnits({ runner: "long", document: { limits: { ...LIMITS, maxJob: 1500 } } }, async (machine) => {
				await running(machine);
				const runner = machine.pidOf("Runner.Listener") ?? 0;
				const read = (pid: number, what: string) => readFileSync(`/proc/${pid}/${what}`, "utf8");
				[agentGroup, runnerGroup, status] = [read(agentOf(machine), "cgroup"), read(runner, "cgroup"), read(runner, "status")];
			});
			expect(agentGroup).toContain("mayfly-agent.service");
			expect(runnerGroup).toContain("mayfly-runner.service");
			expect(status).toMatch(/^Uid:\t65534\t65534/m);
			expect(status).toMatch(/^NoNewPrivs:\t0$/m);
			expect(end).toMatchObject({ isOff: true, phases: ["claimed", "listening", "running", "finished", "off"] });
			expect(end.left.get("log")?.toString()).toContain("the job ran longer than a job may");
		},
		MINUTE,
	);

	test(
		"the runner's exit code and last lines reach the agent, and the hook its socket",
		async () => {
			const end = await bootUnits({ runner: "success", job: JOB });
			expect(end).toMatchObject({ isOff: true, phases: ["claimed", "listening", "running", "finished", "off"] });
			expect(end.reports.at(-2)).toMatchObject({ reason: "success", measurements: { exitCode: 100 } });
			expect([...end.left.keys()].toSorted()).toEqual(["diag.tar.gz", "json", "log"]);
		},
		MINUTE,
	);

	test(
		"a runner that starts at the third try does so in units of its own",
		async () => {
			const end = await bootUnits({ runner: "late", env: { MAYFLY_CLOCKS: '{"relaunch":10}' } });
			expect(end).toMatchObject({ isOff: true, phases: ["claimed", "listening", "running", "finished", "off"] });
		},
		MINUTE,
	);

	test(
		"a runner that cannot be told to end is ended with all that it started",
		async () => {
			const end = await bootUnits({
				...{ runner: "stubborn", env: { MAYFLY_CLOCKS: '{"stopGrace":500}' } },
				document: { limits: { ...LIMITS, maxJob: 300 } },
			});
			expect(end).toMatchObject({ isOff: true });
			expect(end.reports.at(-1)?.reason).toContain("did not end when it was told to");
		},
		MINUTE,
	);

	test(
		"the runner's user reads nothing that is the agent's",
		async () => {
			const end = await bootUnits({ runner: "nosy", job: JOB });
			expect(end.isOff).toBe(true);
			expect(end.seen.files).toBe("");
			expect(end.seen.env).not.toMatch(/MAYFLY_|NOTIFY_SOCKET|0f0f0f0f/);
		},
		MINUTE,
	);

	test.each(["SIGKILL", "SIGSEGV"] as const)(
		"an agent that dies by %s takes the machine with it",
		async (signal) => {
			const end = await bootUnits({ runner: "long" }, async (machine) => {
				await running(machine);
				process.kill(agentOf(machine), signal);
			});
			expect(end.isOff).toBe(true);
			expect(end.phases).not.toContain("off");
		},
		MINUTE,
	);

	test(
		"an agent that is stopped takes the machine with it: systemd hears nothing of it any more",
		async () => {
			const end = await bootUnits(
				{ runner: "long", changes: { "mayfly-agent.service": "[Service]\nWatchdogSec=2\nTimeoutAbortSec=1" } },
				async (machine) => {
					await running(machine);
					// Longer than the watchdog waits: the agent has been heard.
					await Bun.sleep(3000);
					expect(machine.isUp()).toBe(true);
					process.kill(agentOf(machine), "SIGSTOP");
				},
			);
			expect(end.isOff).toBe(true);
			expect(end.phases).not.toContain("off");
		},
		MINUTE,
	);

	test(
		"a job's end comes though systemd itself does nothing any more: the agent turns the machine off by the kernel",
		async () => {
			const scene = { runner: "long", document: { limits: { ...LIMITS, maxJob: 2000 } }, env: { MAYFLY_CLOCKS: '{"stopGrace":500}' } };
			const end = await bootUnits(scene, async (machine) => {
				await running(machine);
				process.kill(machine.pidOf("systemd") ?? 0, "SIGSTOP");
			});
			expect(end.isOff).toBe(true);
			expect(end.phases.at(-1)).toBe("off");
		},
		MINUTE,
	);

	test(
		"the last deadline is nobody's but systemd's: it comes with the agent stopped and no watchdog",
		async () => {
			const changes = {
				"mayfly-agent.service": "[Service]\nWatchdogSec=0",
				"mayfly-deadline.timer": "[Timer]\nOnBootSec=\nOnActiveSec=4s\nAccuracySec=100ms",
			};
			const end = await bootUnits({ runner: "long", changes }, async (machine) => {
				await running(machine);
				process.kill(agentOf(machine), "SIGSTOP");
			});
			expect(end.isOff).toBe(true);
		},
		MINUTE,
	);

	test.each([
		["is missing", (folder: string) => rmSync(join(folder, "mayfly-agent"))],
		["is no program", (folder: string) => writeFileSync(join(folder, "mayfly-agent"), "\0\0\0\0")],
	])(
		"a machine whose agent %s goes off",
		async (_, prepare) => {
			expect(await bootUnits({ runner: "success", prepare })).toMatchObject({ isOff: true, phases: [] });
		},
		MINUTE,
	);

	test(
		"a machine that gets no document goes off when its time for that is over, and so does one without a network",
		async () => {
			const env = { MAYFLY_CLAIM_TIMEOUT_MS: "1000" };
			expect(await bootUnits({ runner: "success", document: null, env })).toMatchObject({ isOff: true, phases: [] });
			const nowhere = { ...env, MAYFLY_IMDS_URL: "http://127.0.0.1:9" };
			expect(await bootUnits({ runner: "success", env: nowhere })).toMatchObject({ isOff: true, phases: [] });
		},
		MINUTE,
	);

	test(
		"a machine whose disks are full goes off",
		async () => {
			// Nothing can be written for the runner, which then cannot start.
			const changes = {
				"mayfly-agent.service": "[Service]\nReadWritePaths=/run/full",
			};
			const end = await bootUnits({ runner: "success", job: JOB, changes, env: { MAYFLY_STATE_DIR: "/run/full/state" } });
			expect(end).toMatchObject({ isOff: true });
			expect(end.reports.at(-1)?.reason).toContain("cannot be started");
		},
		MINUTE,
	);
});
