// Spot: EC2 says when it takes the machine, and the job gets to say so in time.
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runMachine } from "./machine.ts";

const ACTION = "meta-data/spot/instance-action";
const noticeFor = (at: number) => JSON.stringify({ action: "terminate", time: new Date(at).toISOString() });

test("a notice is reported at once, the job ended before the end, and EC2 left to take the machine", async () => {
	const at = Date.now() + 2000;
	const end = await runMachine({ runner: "long", clocks: { spotLead: 1500, spotLinger: 300 } }, async (machine) => {
		await machine.reached("running");
		machine.imds.documents[ACTION] = noticeFor(at);
	});
	expect(end.phases).toEqual(["claimed", "listening", "running", "interrupted", "finished", "off"]);
	expect(end.reports[3]?.measurements).toMatchObject({ terminateAt: at, noticeAt: expect.any(Number) });
	expect(end.reports[4]?.reason).toBe("failure");
	expect(end.reports[5]?.at).toBeGreaterThanOrEqual(at + 300);
	expect(end).toMatchObject({ code: 0, offs: 1, interrupted: true });
});

test("a runner without a job is told to end at the notice", async () => {
	const end = await runMachine({ runner: "idle" }, async (machine) => {
		await machine.reached("listening");
		machine.imds.documents[ACTION] = noticeFor(Date.now() + 300);
	});
	expect(end).toMatchObject({ code: 0, offs: 1, interrupted: true, phases: ["claimed", "listening", "interrupted", "off"] });
});

test("a job that ends by itself after the notice keeps its conclusion, and nobody waits for EC2", async () => {
	const end = await runMachine({ runner: "patient", clocks: { spotLinger: 600_000 } }, async (machine) => {
		await machine.reached("running");
		machine.imds.documents[ACTION] = noticeFor(Date.now() + 60_000);
		await machine.reached("interrupted");
		writeFileSync(join(machine.root, "go"), "");
	});
	expect(end.phases).toEqual(["claimed", "listening", "running", "interrupted", "finished", "off"]);
	expect(end.reports.find(({ phase }) => phase === "finished")?.reason).toBe("success");
	expect(end).toMatchObject({ code: 0, offs: 1, interrupted: false });
});

test("a recommendation to leave is told with the next report", async () => {
	const documents = { "meta-data/events/recommendations/rebalance": JSON.stringify({ noticeTime: "2026-11-23T08:00:00Z" }) };
	const end = await runMachine({ runner: "idle", imds: documents }, async (machine) => {
		await machine.until(() => machine.mailbox.asked.length > 0);
		await Bun.sleep(200);
		machine.agent.kill("SIGTERM");
	});
	expect(end.reports.at(-1)?.measurements.rebalanceAt).toBe(Date.parse("2026-11-23T08:00:00Z"));
});

test("an on-demand machine is not watched for notices", async () => {
	const imds = { "meta-data/instance-life-cycle": "on-demand", [ACTION]: noticeFor(Date.now()) };
	const end = await runMachine({ runner: "failure", imds });
	expect(end.phases).not.toContain("interrupted");
});
