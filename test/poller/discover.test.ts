// Jobs that a look at GitHub finds waiting: which of them the relay is told of.
import { describe, expect, test } from "bun:test";
import { parseObserveRequest } from "../../contract/observe.ts";
import { nextOf, overdue } from "../../poller/discover.ts";
import type { RunJob } from "../../poller/ports.ts";
import { config, job, NOW, run } from "./facts.ts";

const LONG_AGO = { createdAt: NOW - 10 * 60_000 };
const found = (...jobs: Partial<RunJob>[]) =>
	overdue(
		run,
		jobs.map((more, at) => ({ ...job, ...LONG_AGO, id: at + 1, ...more })),
		7,
		{ config, now: () => NOW },
	);

describe("a look at GitHub", () => {
	test("tells of jobs that have waited for longer than a webhook takes", () => {
		expect(found({}, { createdAt: NOW - 30_000 }, { status: "in_progress" }).map(({ job }) => job.id)).toEqual([1]);
	});

	test("tells of no job that no preset serves", () => {
		expect(found({ labels: ["ubuntu-latest"] }, { labels: ["mayfly=1/cpu=0"] })).toEqual([]);
	});

	test("tells nothing that the relay would refuse: the jobs beside it would not be heard of", () => {
		const label = "mayfly=1/runner=small";
		const many = Array.from({ length: 120 }, (_, at) => `also-${at}`);
		const long = Array.from({ length: 40 }, (_, at) => `${at}`.padEnd(200, "x"));
		const jobs = found({ labels: [label, ...many] }, { labels: [label, ...long] }, { labels: [label], name: "n".repeat(5000) });
		expect(jobs.map(({ job }) => job.id)).toEqual([3]);
		expect(parseObserveRequest({ jobs, runs: [], machines: [] })).toMatchObject({ ok: true });
	});

	test("goes on where the last one ended, around the end of the list", () => {
		expect(nextOf(["a", "b", "c"], 2, 2)).toEqual({ taken: ["c", "a"], next: 1 });
		expect(nextOf([], 2, 2)).toEqual({ taken: [], next: 0 });
	});
});
