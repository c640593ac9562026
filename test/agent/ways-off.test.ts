// However a life goes, it ends in one power-off: runners of every behaviour, documents of every kind, servers that are not there.
import { describe, expect, test } from "bun:test";
import { bootDocument, jitConfig } from "./documents.ts";
import { runMachine } from "./machine.ts";

const NOWHERE = { relay: "http://127.0.0.1:9", mailbox: "http://127.0.0.1:9" };
const LIMITS = { idle: 60_000, maxJob: 60_000, deadline: Date.now() + 600_000, linger: 50 };
const OFF = { code: 0, offs: 1 };
const reasonOf = (end: { reports: { phase: string; reason: string | null }[] }, phase: string) =>
	end.reports.find((report) => report.phase === phase)?.reason;

describe("runners", () => {
	test("one that cannot start is started again with pauses, and given up", async () => {
		const end = await runMachine({ runner: "retry" });
		expect(end.starts?.split("\n").length).toBe(6);
		expect(end).toMatchObject({ ...OFF, phases: ["claimed", "off"] });
		expect(reasonOf(end, "off")).toContain("could not be started");
	});

	test("one that starts at the third try runs its job", async () => {
		const end = await runMachine({ runner: "late" });
		expect(end).toMatchObject({ ...OFF, phases: ["claimed", "listening", "running", "finished", "off"] });
	});

	test("one that updates itself is started again when the update is finished", async () => {
		const end = await runMachine({ runner: "updating" });
		expect(end).toMatchObject({ ...OFF, phases: ["claimed", "listening", "running", "finished", "off"], starts: "again\nagain\n" });
	});

	test("one that never listens is idle", async () => {
		const end = await runMachine({ runner: "silent", document: { limits: { hold: 0, ...LIMITS, idle: 300 } } });
		expect(end).toMatchObject({ ...OFF, phases: ["claimed", "idle", "off"] });
	});

	test("one that gets no job is told to end and reported idle", async () => {
		const end = await runMachine({ runner: "idle", document: { limits: { hold: 0, ...LIMITS, idle: 300 } } });
		expect(end).toMatchObject({ ...OFF, phases: ["claimed", "listening", "idle", "off"], interrupted: true });
	});

	test("one of a deprecated version says so", async () => {
		const end = await runMachine({ runner: "deprecated" });
		expect(reasonOf(end, "deprecated")).toContain("deprecated");
		expect(end).toMatchObject({ ...OFF, phases: ["claimed", "listening", "deprecated", "off"] });
	});

	test("one whose registration is gone leaves without a job", async () => {
		const end = await runMachine({ runner: "gone" });
		expect(reasonOf(end, "off")).toContain("no longer knows");
		expect(end).toMatchObject(OFF);
	});

	test("a job over its time is cut short as a failure", async () => {
		const end = await runMachine({ runner: "long", document: { limits: { hold: 0, ...LIMITS, maxJob: 200 } } });
		expect(end).toMatchObject({ ...OFF, interrupted: true, phases: ["claimed", "listening", "running", "finished", "off"] });
		expect(reasonOf(end, "finished")).toBe("failure");
	});

	test("a runner that cannot be told to end is ended", async () => {
		const end = await runMachine({
			runner: "stubborn",
			clocks: { stopGrace: 200 },
			document: { limits: { hold: 0, ...LIMITS, maxJob: 200 } },
		});
		expect(end).toMatchObject(OFF);
		expect(reasonOf(end, "off")).toContain("did not end");
	});

	test("a machine past its deadline starts nothing", async () => {
		const end = await runMachine({ runner: "success", document: { limits: { hold: 0, ...LIMITS, deadline: Date.now() } } });
		expect(end).toMatchObject({ ...OFF, phases: ["claimed", "off"], files: { args: null } });
	});

	test("a runner that is not there is reported", async () => {
		const end = await runMachine({ runner: "success", env: { MAYFLY_RUNNER_ROOT: "/nowhere/at/all" } });
		expect(end).toMatchObject({ ...OFF, phases: ["claimed", "off"] });
	});
});

describe("boot documents", () => {
	const refused = { ...OFF, phases: [], files: { args: null } };

	test("another machine's is refused, and nothing is said in its name", async () => {
		const end = await runMachine({ runner: "success", document: { instanceId: "i-0fffffffffffffff0" } });
		expect(end).toMatchObject(refused);
		expect(end.asked.filter((line) => line.startsWith("DELETE"))).toEqual([]);
	});

	test.each([
		["not JSON", "<html>"],
		["empty", ""],
		["a list", "[]"],
		["null", "null"],
		["without a grant", JSON.stringify({ ...bootDocument(NOWHERE), grant: undefined })],
		["of an unknown version", JSON.stringify({ ...bootDocument(NOWHERE), version: 2 })],
	])("one that is %s is refused", async (_, document) => {
		expect(await runMachine({ runner: "success", document })).toMatchObject(refused);
	});

	test("the JIT configuration of another runner is refused", async () => {
		const end = await runMachine({ runner: "success", document: { jitConfig: jitConfig("mayfly-i-0fffffffffffffff0-1") } });
		expect(end).toMatchObject({ ...OFF, phases: ["off"], files: { args: null } });
	});

	test("a JIT configuration of an encoding we do not know is the runner's to judge", async () => {
		const end = await runMachine({ runner: "failure", document: { jitConfig: "????" } });
		expect(end.phases).toContain("finished");
	});

	test("none that comes in time is the end", async () => {
		const end = await runMachine({ runner: "success", document: null, clocks: { claim: 300 } });
		expect(end).toMatchObject(refused);
	});
});

describe("servers", () => {
	test("a relay that is down does not keep the machine", async () => {
		const report = { url: "http://127.0.0.1:9/report", token: "none" };
		expect(await runMachine({ runner: "failure", document: { report }, clocks: { flush: 100 } })).toMatchObject({ ...OFF, phases: [] });
	});

	test("a relay that refuses a report gets the next one", async () => {
		const end = await runMachine({ runner: "failure", relayStatus: 401 });
		expect(end).toMatchObject({ ...OFF, phases: ["claimed", "listening", "running", "finished", "off"] });
	});

	test("without IMDS the machine goes off when the time for the claim is over", async () => {
		const env = { MAYFLY_IMDS_URL: "http://127.0.0.1:9" };
		expect(await runMachine({ runner: "success", env, clocks: { claim: 300 } })).toMatchObject({ ...OFF, phases: [] });
	});

	test("an identity document that is none is the end", async () => {
		const imds = { "dynamic/instance-identity/document": "{}" };
		expect(await runMachine({ runner: "success", imds })).toMatchObject({ ...OFF, phases: [] });
	});
});

describe("power", () => {
	test("a power-off that fails is tried again", async () => {
		expect(await runMachine({ runner: "failure", powerFails: 1 })).toMatchObject({ code: 0, offs: 2 });
	});

	test("one that never works leaves it to systemd, by the exit code", async () => {
		expect(await runMachine({ runner: "failure", powerFails: 9 })).toMatchObject({ code: 1, offs: 3 });
	});

	test.each(["SIGTERM", "SIGINT"] as const)("%s to the agent ends the runner and the machine", async (signal) => {
		const end = await runMachine({ runner: "long" }, async (machine) => {
			await machine.reached("running");
			machine.agent.kill(signal);
		});
		expect(end).toMatchObject({ ...OFF, interrupted: true });
		expect(reasonOf(end, "finished")).toBe("failure");
	});

	test("SIGTERM before the claim turns the machine off", async () => {
		const end = await runMachine({ runner: "long", document: null }, async (machine) => {
			await machine.until(() => machine.mailbox.asked.length > 0);
			machine.agent.kill("SIGTERM");
		});
		expect(end).toMatchObject({ ...OFF, phases: [] });
	});
});
