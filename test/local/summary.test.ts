import { describe, expect, test } from "bun:test";
import type { Timings } from "../../contract/job.ts";
import { readArguments } from "../../local/arguments.ts";
import { createProgress } from "../../local/progress.ts";
import { exitStatus, type JobSummary, summarize } from "../../local/summary.ts";
import { waterfall } from "../../local/waterfall.ts";

const timings: Timings = {
	receivedAt: 1000,
	leasedAt: 1100,
	launchedAt: 2000,
	claimedAt: 3000,
	listeningAt: 4000,
	startedAt: 5000,
	finishedAt: 9000,
	offAt: 10000,
};
const job: JobSummary = {
	id: 1,
	name: "build",
	attempt: 1,
	conclusion: "success",
	instanceId: "i-0abcdef1234567890",
	allowedToFail: false,
	reason: null,
	queuedAt: 900,
	timings,
};
const none = { launched: 1, terminated: 1, alive: 0 };
const relay = { deliveries: 3, duplicates: 0 };
const statusOf = (...jobs: Partial<JobSummary>[]) =>
	exitStatus(
		summarize(
			jobs.map((change) => ({ ...job, ...change })),
			none,
			relay,
		),
	);

describe("the end of a local run", () => {
	test("is 0 when every job succeeded, was skipped or failed as it may", () => {
		expect(statusOf({}, { conclusion: "skipped", instanceId: null }, { conclusion: "failure", allowedToFail: true })).toBe(0);
	});

	test("is 1 when a job failed, and still ok: the system did its work", () => {
		const summary = summarize([{ ...job, conclusion: "failure" }], none, relay);
		expect([summary.ok, exitStatus(summary)]).toEqual([true, 1]);
	});

	test("is not ok when a job never ended, was refused, or a machine is left", () => {
		expect(summarize([{ ...job, conclusion: null }], none, relay).ok).toBeFalse();
		expect(summarize([{ ...job, conclusion: "cancelled", reason: "no preset lists it" }], none, relay).ok).toBeFalse();
		expect(summarize([job], { launched: 2, terminated: 1, alive: 1 }, relay).ok).toBeFalse();
	});
});

describe("the command line", () => {
	test("takes a file and the flags of its help", () => {
		expect(readArguments(["w.yml", "--json", "--jobs", "3", "--machines", "2"])).toEqual({
			ok: true,
			value: { file: "w.yml", json: true, jobs: 3, machines: 2, keep: false, help: false },
		});
		expect(readArguments([])).toMatchObject({ ok: true, value: { file: null, jobs: null, machines: 16 } });
	});

	test("names every wrong number at once, unknown flags and a second file", () => {
		expect(readArguments(["--jobs", "0", "--machines", "many"])).toEqual({
			ok: false,
			problems: ['--jobs takes a whole number from 1 to 1000, not "0"', '--machines takes a whole number from 1 to 256, not "many"'],
		});
		expect(readArguments(["--fast"]).ok).toBeFalse();
		expect(readArguments(["a.yml", "b.yml"]).ok).toBeFalse();
	});
});

describe("the waterfall", () => {
	test("shows each stage's seconds and a bar on a common scale", () => {
		const [head, row] = waterfall([job], 200);
		expect(head).toContain("9.1 s");
		expect(row?.split(/\s+/).slice(-8)).toEqual(["0.10", "0.10", "0.90", "1.00", "1.00", "1.00", "4.00", "1.00"]);
		expect(row).toContain("LLLL");
	});

	test("fits a narrow terminal: bars without figures", () => {
		const lines = waterfall([{ ...job, name: "a job with quite a long name" }], 60);
		expect(Math.max(...lines.slice(0, -1).map((line) => line.length))).toBeLessThanOrEqual(60);
		expect(lines[1]).toContain("█");
	});

	test("leaves a stage that was not reached empty and a job without a machine out", () => {
		const lines = waterfall(
			[
				{ ...job, timings: { ...timings, finishedAt: null, offAt: null } },
				{ ...job, name: "skipped", instanceId: null },
			],
			200,
		);
		expect(lines[1]?.trimEnd().endsWith("-")).toBeTrue();
		expect(lines.join("\n")).not.toContain("skipped");
		expect(waterfall([], 80)).toEqual([]);
	});
});

describe("progress", () => {
	const shown = { id: 1, name: "build", stage: "running", ended: false, since: 0, detail: "i-0abcdef1234567890" };

	test("is one plain line for each change where there is no terminal", () => {
		let written = "";
		const progress = createProgress({
			write: (text) => {
				written += text;
			},
			isTTY: false,
			colour: false,
			columns: 80,
			rows: 24,
		});
		progress.update([shown], 10);
		progress.update([shown], 20);
		progress.update([{ ...shown, stage: "success", ended: true }], 30);
		expect(written).toBe("build: running, i-0abcdef1234567890\nbuild: success, i-0abcdef1234567890\n");
	});

	test("is redrawn in place on a terminal and never wider or higher than it", () => {
		let written = "";
		const progress = createProgress({
			write: (text) => {
				written += text;
			},
			isTTY: true,
			colour: false,
			columns: 40,
			rows: 10,
		});
		const many = Array.from({ length: 50 }, (_, id) => ({ ...shown, id, name: `job ${id}` }));
		progress.update(many, 10);
		expect(written.split("\n").length).toBeLessThanOrEqual(9);
		expect(Math.max(...written.split("\n").map((line) => line.length))).toBeLessThan(40);
		progress.update(many, 20);
		expect(written).toContain("\x1b[8A\x1b[J");
	});
});
