// A runner that took a job must start a worker for it (FACTS 1.10), and what the runner counts is reported.
import { expect, test } from "bun:test";
import { countersOf, perfTimings } from "../../agent/perf.ts";
import { runMachine } from "./machine.ts";

test("a job without a worker is given up in time, and counts as failed", async () => {
	const end = await runMachine({ runner: "workerless", clocks: { worker: 400 } });
	expect(end).toMatchObject({ code: 0, offs: 1, phases: ["claimed", "listening", "running", "finished", "off"] });
	expect(end.reports.at(-2)?.reason).toBe("failure");
	expect(end.reports.at(-1)?.reason).toContain("started no worker");
});

test("a job with a worker may take longer than its worker's start", async () => {
	const end = await runMachine({ runner: "working", clocks: { worker: 1500 } });
	expect(end.phases).toEqual(["claimed", "listening", "running", "finished", "off"]);
	expect(end.reports.at(-2)?.reason).toBe("success");
});

test("the runner's own counters are among the timings once it ran", async () => {
	const end = await runMachine({ runner: "working" });
	expect(end.reports.at(-2)?.measurements).toMatchObject({ sessionMs: 1000, messageMs: 2000, workerMs: 3000, jobInitMs: 5000 });
});

test("counters are read as far as they are ones", () => {
	const text =
		"SessionCreated:2026-11-23T12:00:02.5000000Z\nSessionCreated:2026-11-23T12:00:09Z\nnonsense\nRunnerProcessStarted:when?\n:\n";
	expect([...countersOf(text)]).toEqual([["SessionCreated", Date.parse("2026-11-23T12:00:02.5Z")]]);
	expect(perfTimings(countersOf(text))).toEqual({});
});

test.each([
	[
		"a link to what only the agent may read",
		(folder: string) => Bun.spawnSync(["ln", "-s", "/etc/shadow", `${folder}/state/perf/Runner.perf`]),
	],
	["a pipe that nobody writes to", (folder: string) => Bun.spawnSync(["mkfifo", `${folder}/state/perf/Runner.perf`])],
	["an endless file", (folder: string) => Bun.spawnSync(["ln", "-s", "/dev/zero", `${folder}/state/perf/Runner.perf`])],
])("the counters are not read from %s", async (_, plant) => {
	const prepare = (folder: string) => {
		Bun.spawnSync(["mkdir", "-p", `${folder}/state/perf`]);
		plant(folder);
	};
	const end = await runMachine({ runner: "success", job: {}, prepare });
	expect(end).toMatchObject({ code: 0, offs: 1 });
	expect(end.reports.at(-1)?.measurements).not.toHaveProperty("sessionMs");
});
