// Jobs that a look at GitHub finds waiting: which of them the relay is told of.
import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { parseObserveRequest } from "../../contract/observe.ts";
import { discover, nextOf, overdue, roundsAt } from "../../poller/discover.ts";
import { GitHubError } from "../../poller/github-error.ts";
import type { GitHub, Ports, Relay, RunJob } from "../../poller/ports.ts";
import { config, job, NOW, run } from "./facts.ts";

const START = { repository: 0, run: 0, owed: 0 };
const LONG_AGO = { createdAt: NOW - 10 * 60_000 };
const found = (...jobs: Partial<RunJob>[]) =>
	overdue(
		run,
		jobs.map((more, at) => ({ ...job, ...LONG_AGO, id: at + 1, ...more })),
		7,
		{ config, now: () => NOW },
	);

/** Ports as far as a look needs them. */
function lookingAt(openRuns: GitHub["openRuns"], jobs: RunJob[] = [{ ...job, ...LONG_AGO }]) {
	const [told, warned]: [number[], unknown[]] = [[], []];
	const observe: Relay["observe"] = async (facts) => {
		const { jobs } = facts;
		expect(parseObserveRequest(facts)).toMatchObject({ ok: true });
		told.push(...jobs.map(({ job }) => job.id));
		return { machines: [], active: [] };
	};
	const log = { debug: () => undefined, warn: ({ repository }: { repository: string }) => void warned.push(repository) };
	const github = { openRuns, attemptJobs: async () => jobs };
	return { told, warned, ports: { github, relay: { observe }, log, config, now: () => NOW } as unknown as Ports };
}

describe("a look at GitHub", () => {
	test("tells of jobs that have waited for longer than a webhook takes", () => {
		expect(found({}, { createdAt: NOW - 30_000 }, { status: "in_progress" }).map(({ job }) => job.id)).toEqual([1]);
	});

	test("tells of no job that is meant for others, and of one that asks wrongly, so that somebody can read why it waits", () => {
		const jobs = found({ labels: ["ubuntu-latest"] }, { labels: ["mayfly=1/cpu=0"] }, { labels: ["mayfly=1/env=staging"] });
		expect(jobs.map(({ job }) => job.id)).toEqual([2]);
	});

	test("tells nothing that the relay would refuse: the jobs beside it would not be heard of", () => {
		const label = "mayfly=1/runner=small";
		const many = Array.from({ length: 120 }, (_, at) => `also-${at}`);
		const long = Array.from({ length: 40 }, (_, at) => `${at}`.padEnd(200, "x"));
		const jobs = found({ labels: [label, ...many] }, { labels: [label, ...long] }, { labels: [label], name: "n".repeat(5000) });
		expect(jobs.map(({ job }) => job.id)).toEqual([3]);
		expect(parseObserveRequest({ jobs, runs: [], machines: [] })).toMatchObject({ ok: true });
	});

	test("of sessions one after the other comes around to every repository, however many are active", () => {
		const [minute, looks] = [60_000, 13];
		const repositories = Array.from({ length: 100 }, (_, at) => at);
		const seen = new Set<number>();
		for (let session = 0; session < 10; session += 1) {
			let { repository } = roundsAt(NOW + session * looks * minute, minute);
			for (let look = 0; look < looks; look += 1) {
				const { taken, next } = nextOf(repositories, repository, 3);
				for (const it of taken) seen.add(it);
				repository = next;
			}
		}
		expect(seen.size).toBe(100);
	});

	test("is not kept from the others by a repository that is gone, or that answers what nobody can read", async () => {
		const active = ["gone", "odd", "here"].map((name) => ({ repository: `octo-org/${name}`, installationId: 7 }));
		const { ports, told, warned } = lookingAt(async ({ repository }) => {
			if (repository.endsWith("gone")) throw new GitHubError("GET /actions/runs", 404, "Not Found", null);
			if (repository.endsWith("odd")) v.parse(v.number(), "ten");
			return [run];
		});
		const { repository } = await discover(ports, active, START);
		expect(told).toEqual([7]);
		expect(warned).toEqual(["octo-org/gone", "octo-org/odd"]);
		expect(repository).toBe(0);
	});

	test("tells of a burst in parts that the relay takes", async () => {
		const burst = Array.from({ length: 2300 }, (_, at) => ({ ...job, ...LONG_AGO, id: at + 1 }));
		const { ports, told } = lookingAt(async () => [run], burst);
		await discover(ports, [{ repository: "octo-org/here", installationId: 7 }], START);
		expect(told).toEqual(burst.map(({ id }) => id));
	});

	test.each([
		["eight runs of 256 jobs", 8, 256],
		["a hundred runs of 40 jobs", 100, 40],
		["two runs of a thousand jobs", 2, 1000],
	])("makes fewer than a fifth of GitHub's 5,000 calls in an hour, each page counted: %s in four repositories", async (_, count, size) => {
		let calls = 0;
		const reads = new Map<number, number>();
		const runs = Array.from({ length: count }, (_, at) => ({ ...run, id: at + 1 }));
		const { ports } = lookingAt(async () => {
			calls += 2;
			return runs;
		});
		const attemptJobs: GitHub["attemptJobs"] = async (_, id) => {
			calls += Math.ceil(size / 100);
			reads.set(id, (reads.get(id) ?? 0) + 1);
			return Array.from({ length: size }, () => job);
		};
		const active = ["a", "b", "c", "d"].map((name) => ({ repository: `octo-org/${name}`, installationId: 7 }));
		let rounds = START;
		// A look every minute, and one more at the beginning of every session.
		for (let look = 0; look < 65; look++) rounds = await discover({ ...ports, github: { ...ports.github, attemptJobs } }, active, rounds);
		expect(calls).toBeLessThanOrEqual(1000);
		expect(calls).toBeGreaterThan(800);
		expect(reads.size).toBe(count);
	});

	test("is broken off by what may pass: it goes on at the same place", async () => {
		const { ports } = lookingAt(async () => {
			throw new GitHubError("GET /actions/runs", 502, "", null);
		});
		await expect(discover(ports, [{ repository: "octo-org/here", installationId: 7 }], START)).rejects.toThrow("502");
	});

	test("goes on where the last one ended, around the end of the list", () => {
		expect(nextOf(["a", "b", "c"], 2, 2)).toEqual({ taken: ["c", "a"], next: 1 });
		expect(nextOf([], 2, 2)).toEqual({ taken: [], next: 0 });
	});
});
