// Reads runs and their jobs from GitHub: once for each run and attempt in a batch, not once for each job; and once for batches that follow
// each other closely, as a burst of webhooks makes them. Of a run with more pages of jobs than are asked for, those jobs alone are read.
import { GitHubError } from "./github-error.ts";
import { type GitHub, PAGE, type RepositoryRef, type RunJob } from "./ports.ts";
import type { RunReading } from "./verify.ts";

export interface JobAddress extends RepositoryRef {
	id: number;
	runId: number;
	attempt: number;
}
export type ReadRun = (job: JobAddress) => Promise<RunReading>;

interface Kept {
	begunAt: number;
	reading: Promise<RunReading>;
}

/** A reading is as good as a new one for less time than a launch takes. */
const FRESH_MS = 1000;

/** The readers of one batch. */
export interface RunReaders {
	/** For what has happened to a job since. */
	read: ReadRun;
	/** For a launch: what an earlier batch read a moment ago will do for a job that it shows as queued. */
	readQueued: ReadRun;
}

const keyOf = ({ repository, runId, attempt }: JobAddress) => `${repository} ${runId} ${attempt}`;

/** What makes the readers of a session's batches, of which each is told its jobs. What goes wrong is a reading too. */
export function createRunReaders(github: GitHub, now: () => number): (jobs?: readonly JobAddress[]) => RunReaders {
	const kept = new Map<string, Kept>();
	/** Of the runs that were listed: how many calls that took. */
	const pages = new Map<string, number>();
	const forget = () => {
		for (const [key, { begunAt }] of kept) if (now() - begunAt > FRESH_MS) kept.delete(key);
	};
	function reread(key: string, job: JobAddress): Promise<RunReading> {
		const reading = guarded(async () => {
			const listed = await readRun(github, job);
			if (listed.kind === "read") pages.set(key, Math.ceil(listed.jobs.size / PAGE));
			return listed;
		});
		kept.set(key, { begunAt: now(), reading });
		return reading;
	}
	return (jobs) => {
		forget();
		const asked = jobs && Map.groupBy(jobs, keyOf);
		const isFew = (key: string) => asked !== undefined && (asked.get(key)?.length ?? 0) < (pages.get(key) ?? 0);
		const before = new Set(kept.values());
		const mine = new Map<string, Promise<RunReading>>();
		const shown = async (key: string, job: JobAddress): Promise<RunReading | null> => {
			const earlier = kept.get(key);
			if (!earlier || !before.has(earlier)) return null;
			const reading = await earlier.reading;
			return reading.kind === "read" && reading.jobs.get(job.id)?.status === "queued" ? reading : null;
		};
		const read: ReadRun = async (job) => {
			const key = keyOf(job);
			const reading = mine.get(key) ?? (isFew(key) ? guarded(() => readAlone(github, job)) : reread(key, job));
			mine.set(key, reading);
			return withJob(github, job, await reading);
		};
		return { read, readQueued: async (job) => (mine.has(keyOf(job)) ? null : await shown(keyOf(job), job)) ?? read(job) };
	};
}

async function readRun(github: GitHub, at: JobAddress): Promise<RunReading> {
	const [run, jobs] = await Promise.all([github.run(at, at.runId), github.attemptJobs(at, at.runId, at.attempt)]);
	if (!run || !jobs) return { kind: "absent" };
	return { kind: "read", run, jobs: new Map(jobs.map((job) => [job.id, job])) };
}

/** Without its jobs, which are then asked for by their ids. */
async function readAlone(github: GitHub, at: JobAddress): Promise<RunReading> {
	const run = await github.run(at, at.runId);
	return run ? { kind: "read", run, jobs: new Map() } : { kind: "absent" };
}

/** A job that a list leaves out is asked for by its id: lists lag behind. */
async function withJob(github: GitHub, at: JobAddress, reading: RunReading): Promise<RunReading> {
	if (reading.kind !== "read" || reading.jobs.has(at.id)) return reading;
	return guarded(async () => {
		const job: RunJob | null = await github.job(at, at.id);
		return job ? { ...reading, jobs: new Map([...reading.jobs, [job.id, job]]) } : reading;
	});
}

async function guarded(read: () => Promise<RunReading>): Promise<RunReading> {
	try {
		return await read();
	} catch (error) {
		const known = error instanceof GitHubError ? error : new GitHubError("reading a run", null, String(error), null, error);
		return { kind: "failed", error: known };
	}
}
