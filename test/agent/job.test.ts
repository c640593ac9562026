// One machine, one job: the compiled agent from boot to power-off.
import { expect, test } from "bun:test";
import { bootDocument, INSTANCE, PRIVATE_IP, REPOSITORY } from "./documents.ts";
import { runMachine } from "./machine.ts";

const JOB = { GITHUB_REPOSITORY: REPOSITORY, GITHUB_EVENT_NAME: "push", GITHUB_REF: "refs/heads/main" };

test("a machine claims its document, runs its job, reports every phase in order and turns off once", async () => {
	const end = await runMachine({ runner: "success", job: JOB, mailbox: { notYet: 3 } });
	expect(end.phases).toEqual(["claimed", "listening", "running", "finished", "off"]);
	expect(end.reports.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
	expect(end.reports[3]).toMatchObject({ reason: "success", jobId: 42, instanceId: INSTANCE });
	expect(end).toMatchObject({ code: 0, offs: 1, firstStep: true });
	expect(end.asked.filter((line) => line === `GET /boot/${PRIVATE_IP}/${INSTANCE}`)).toHaveLength(4);
	expect(end.asked.filter((line) => line.startsWith("DELETE"))).toEqual([`DELETE /boot/${PRIVATE_IP}/${INSTANCE}`]);
});

test("reports carry the boot timings and the facts for the operator's statistics", async () => {
	const end = await runMachine({ runner: "success", job: JOB });
	expect(end.reports[0]?.measurements).toMatchObject({
		...{ org: "octo-org", arch: process.arch, instanceType: "m8g.xlarge", region: "eu-west-1", zone: "eu-west-1b" },
		...{ version: expect.stringMatching(/^\d+\.\d+\.\d+$/), imdsMs: expect.any(Number), claimMs: expect.any(Number) },
	});
	expect(end.reports[1]?.measurements).toMatchObject({ listeningMs: expect.any(Number), launchMs: expect.any(Number) });
});

test("the runner gets the JIT configuration and its switches by environment, and nothing of the agent's own", async () => {
	const { files } = await runMachine({ runner: "success", job: JOB });
	const env = new Map((files.env ?? "").split("\n").map((line) => line.split("=", 2) as [string, string]));
	expect(files.args).toBe("run\n");
	expect(env.get("ACTIONS_RUNNER_INPUT_JITCONFIG")).toBeTruthy();
	expect(env.get("ACTIONS_RUNNER_RETURN_JOB_RESULT_FOR_HOSTED")).toBe("true");
	expect(env.get("ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE")).toBe("1");
	expect(env.get("GITHUB_ACTIONS_RUNNER_CHANNEL_TIMEOUT")).toBe("120");
	expect([...env.keys()].filter((name) => name.startsWith("MAYFLY_") || name.startsWith("SECRET_"))).toEqual([]);
});

test("the job's author finds the machine and the timings in the log", async () => {
	const { files } = await runMachine({ runner: "success", job: JOB });
	const groups = JSON.parse(files.setup_info ?? "[]") as { group: string; detail: string }[];
	expect(groups.map(({ group }) => group)).toEqual(["Instance", "Timings"]);
	expect(groups[0]?.detail).toContain(INSTANCE);
	expect(groups[1]?.detail).toContain("webhook received");
});

test("the machine leaves a record of what it went through", async () => {
	const { left } = await runMachine({ runner: "success", job: JOB });
	const text = left.get("json")?.toString() ?? "";
	const record = JSON.parse(text);
	expect(record).toMatchObject({ version: 1, instanceId: INSTANCE, jobId: 42, runId: 7, repository: REPOSITORY });
	expect(record.passages.map(({ stage }: { stage: string }) => stage)).toContain("running");
	expect(text).not.toContain("0f0f0f0f");
});

test("a job that fails is reported as its exit code says, whatever its name says", async () => {
	const end = await runMachine({ runner: "failure" });
	expect(end.reports.find(({ phase }) => phase === "finished")?.reason).toBe("failure");
	expect(end).toMatchObject({ code: 0, offs: 1 });
});

test("nothing secret is in the agent's log", async () => {
	const end = await runMachine({ runner: "success", job: JOB });
	const document = bootDocument({ relay: "", mailbox: "" });
	for (const secret of [document.jitConfig, document.report.token]) expect(end.out + end.err).not.toContain(secret);
});
