// What the runner says and how it ends, understood: lines as recorded (FACTS 1.4), exit codes as in its source (FACTS 1.3).
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readExit } from "../../agent/exit.ts";
import { createLines } from "../../agent/runner.ts";
import { type RunnerLine, readRunnerLine } from "../../agent/runner-lines.ts";

const AT = "2026-03-17 12:20:29Z: ";

describe("lines", () => {
	test.each<[string, RunnerLine | null]>([
		["√ Connected to GitHub", { kind: "connected" }],
		["Current runner version: '2.336.0'", { kind: "version", version: "2.336.0" }],
		[`${AT}Listening for Jobs`, { kind: "listening" }],
		[`${AT}Running job: build (linux, 20)`, { kind: "started", name: "build (linux, 20)" }],
		[`${AT}Job build completed with result: Succeeded`, { kind: "completed", name: "build", result: "Succeeded" }],
		[`${AT}Job build completed with result: SucceededWithIssues`, { kind: "completed", name: "build", result: "SucceededWithIssues" }],
		[`${AT}Job build completed with result: Abandoned`, { kind: "completed", name: "build", result: "Abandoned" }],
		["Runner version v2.336.0 is deprecated and cannot receive messages.", { kind: "deprecated", version: "2.336.0" }],
		["An error occured: Runner version v2.300.0 is deprecated and cannot receive messages.", { kind: "deprecated", version: "2.300.0" }],
		["The runner no longer exists on the server. Cleaning up local configuration.", { kind: "deleted" }],
		[
			"Failed to create a session. The runner registration has been deleted from the server, please re-configure. Runner registrations are automatically deleted for runners that have not connected to the service recently.",
			{ kind: "deleted" },
		],
		["A session for this runner already exists.", { kind: "conflict" }],
		[`${AT}Runner connect error: The HTTP request timed out after 00:01:00.. Retrying until reconnected.`, { kind: "disconnected" }],
		[`${AT}Runner reconnected.`, { kind: "reconnected" }],
		["Runner update in progress, do not shutdown runner.", { kind: "updating" }],
		["Exiting...", null],
		["", null],
	])("%s", (text, line) => {
		expect(readRunnerLine(text)).toEqual(line);
	});

	test.each<[string, RunnerLine | null]>([
		[`${AT}Running job: ${AT}Listening for Jobs`, { kind: "started", name: `${AT}Listening for Jobs` }],
		[`${AT}Running job: Job x completed with result: Failed`, { kind: "started", name: "Job x completed with result: Failed" }],
		[
			`${AT}Job a completed with result: Succeeded completed with result: Failed`,
			{ kind: "completed", name: "a completed with result: Succeeded", result: "Failed" },
		],
		[`${AT}Running job: a\u2028b\rc`, { kind: "started", name: "a\u2028b\rc" }],
		[`${AT}Job a\u2029 completed with result: Canceled`, { kind: "completed", name: "a\u2029", result: "Canceled" }],
		[`${AT}Running job: `, { kind: "started", name: "" }],
		["Listening for Jobs", null],
		[` ${AT}Listening for Jobs`, null],
		[`${AT}Listening for Jobs, or so`, null],
		["echo Runner version v1 is deprecated and cannot receive messages.", null],
	])("a job's name changes nothing: %j", (text, line) => {
		expect(readRunnerLine(text)).toEqual(line);
	});
});

describe("exit codes", () => {
	test.each([
		[100, "success"],
		[101, "success"],
		[102, "failure"],
		[103, "cancelled"],
		[104, "skipped"],
		[105, "failure"],
	] as const)("%d is a job's %s", (code, conclusion) => {
		expect(readExit(code, null)).toEqual({ kind: "result", conclusion });
	});

	test.each([
		[0, "ended"],
		[1, "ended"],
		[2, "retryable"],
		[3, "updating"],
		[4, "updating"],
		[5, "ended"],
		[7, "ended"],
		[6, "ended"],
		[106, "ended"],
		[255, "ended"],
	] as const)("%d is %s", (code, kind) => {
		expect(readExit(code, null).kind).toBe(kind);
	});

	test("only 7 says that the version is deprecated", () => {
		const deprecated = Array.from({ length: 256 }, (_, code) => code).filter((code) => {
			const exit = readExit(code, null);
			return exit.kind === "ended" && exit.deprecated;
		});
		expect(deprecated).toEqual([7]);
	});

	test("a signal is named", () => {
		expect(readExit(null, "SIGKILL")).toMatchObject({ kind: "ended", reason: expect.stringContaining("SIGKILL") });
	});
});

describe("logs from their first line to their last", () => {
	const STARTS = ["connected", "version", "listening"];
	test.each<[string, string[]]>([
		["success", [...STARTS, "started", "completed"]],
		["reconnected", [...STARTS, "disconnected", "reconnected", "started", "completed"]],
		["cancelled", [...STARTS, "started", "completed"]],
		["deprecated", [...STARTS, "deprecated"]],
		["updating", [...STARTS, "updating"]],
		["removed", [...STARTS, "deleted"]],
		["deleted", ["connected", "deleted"]],
		["conflict", ["connected", "conflict", "disconnected"]],
	])("%s", (name, kinds) => {
		const read: string[] = [];
		const lines = createLines((line) => read.push(...[readRunnerLine(line)?.kind ?? []].flat()));
		// In pieces, as a pipe gives them.
		const bytes = readFileSync(join(import.meta.dir, "logs", `${name}.txt`));
		for (let at = 0; at < bytes.length; at += 7) lines.add(bytes.subarray(at, at + 7));
		lines.end();
		expect(read).toEqual(kinds);
	});
});
