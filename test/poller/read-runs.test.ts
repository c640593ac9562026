// How often a run is read: by a GitHub that counts and a clock that is set by hand.
import { describe, expect, test } from "bun:test";
import { GitHubError } from "../../poller/github-error.ts";
import type { GitHub, RunJob } from "../../poller/ports.ts";
import { createRunReaders } from "../../poller/read-runs.ts";
import { job, run } from "./facts.ts";

function countingGitHub(jobs: RunJob[]) {
	const asked: string[] = [];
	let fails = 0;
	const answer = async <T>(what: string, value: T): Promise<T> => {
		asked.push(what);
		if (fails-- > 0) throw new GitHubError(what, 502, "simulated", null);
		return value;
	};
	const github = {
		run: () => answer("run", run),
		attemptJobs: () => answer("jobs", [...jobs]),
		job: (_: unknown, id: number) => answer(`job ${id}`, jobs.find((it) => it.id === id) ?? null),
	} as unknown as GitHub;
	const fail = (times: number) => {
		fails = times;
	};
	return { github, asked, fail };
}
const at = (id: number, runId = 1) => ({ id, runId, attempt: 1, repository: "octo-org/octo-repo", installationId: null });
const launchReaders = (github: GitHub, now: () => number) => {
	const readers = createRunReaders(github, now);
	return () => readers().readQueued;
};
const numbered = (...ids: number[]) => ids.map((id) => ({ ...job, id }));

describe("runs", () => {
	test("are read once for all jobs of a batch, and once for batches that follow closely", async () => {
		let now = 0;
		const { github, asked } = countingGitHub(numbered(1, 2, 3));
		const reader = launchReaders(github, () => now);
		const first = reader();
		const readings = await Promise.all([first(at(1)), first(at(2))]);
		expect(readings.map(({ kind }) => kind)).toEqual(["read", "read"]);
		now = 900;
		expect(await reader()(at(3))).toMatchObject({ kind: "read" });
		expect(asked).toEqual(["run", "jobs"]);
		now = 2000;
		await reader()(at(3));
		expect(asked).toHaveLength(4);
	});

	test("are read again as a whole by the next batch when its jobs were not there yet, not job by job", async () => {
		const jobs = numbered(1);
		const { github, asked } = countingGitHub(jobs);
		const reader = launchReaders(github, () => 0);
		await reader()(at(1));
		jobs.push(...numbered(2, 3, 4));
		const second = reader();
		for (const reading of await Promise.all([2, 3, 4].map((id) => second(at(id))))) expect(reading).toMatchObject({ kind: "read" });
		expect(asked).toEqual(["run", "jobs", "run", "jobs"]);
	});

	test("are read anew for what looks after a job, however fresh another reading is", async () => {
		const { github, asked } = countingGitHub(numbered(1));
		const readers = createRunReaders(github, () => 0);
		await readers().readQueued(at(1));
		await readers().read(at(1));
		expect(asked).toEqual(["run", "jobs", "run", "jobs"]);
	});

	test("that could not be read are asked for again by the next batch", async () => {
		const { github, asked, fail } = countingGitHub(numbered(1));
		const reader = launchReaders(github, () => 0);
		fail(2);
		expect((await reader()(at(1))).kind).toBe("failed");
		expect((await reader()(at(1))).kind).toBe("read");
		expect(asked).toHaveLength(4);
	});

	test("of many pages are read job by job for a batch of a few of their jobs, once it is known how many pages they have", async () => {
		const { github, asked } = countingGitHub(numbered(...Array.from({ length: 1000 }, (_, at) => at + 1)));
		let now = 0;
		const readers = createRunReaders(github, () => now);
		const batchOf = async (...ids: number[]) => {
			now += 2000;
			const jobs = ids.map((id) => at(id));
			const { read } = readers(jobs);
			const readings = await Promise.all(jobs.map(read));
			for (const [index, reading] of readings.entries())
				expect(reading.kind === "read" ? reading.jobs.get(ids[index] ?? 0)?.status : reading.kind).toBe("queued");
			return asked.splice(0);
		};
		expect(await batchOf(1, 2)).toEqual(["run", "jobs"]);
		expect(await batchOf(3, 4)).toEqual(["run", "job 3", "job 4"]);
		expect(await batchOf(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)).toEqual(["run", "jobs"]);
	});

	test("a job that a list leaves out is asked for by its id", async () => {
		const { github, asked } = countingGitHub(numbered(1));
		await launchReaders(github, () => 0)()(at(9));
		expect(asked).toEqual(["run", "jobs", "job 9"]);
	});
});
