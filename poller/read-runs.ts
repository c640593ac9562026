// Reads runs and their jobs from GitHub: once for each run and attempt in a batch, not once for each job; and once for batches that follow
// each other closely, as a burst of webhooks makes them.
import { GitHubError } from "./github-error.ts";
import type { GitHub, RepositoryRef, RunJob } from "./ports.ts";
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

/** What makes the readers of a session's batches. What goes wrong is a reading too. */
export function createRunReaders(github: GitHub, now: () => number): () => RunReaders {
	const kept = new Map<string, Kept>();
	const forget = () => {
		for (const [key, { begunAt }] of kept) if (now() - begunAt > FRESH_MS) kept.delete(key);
	};
	function reread(key: string, job: JobAddress): Promise<RunReading> {
		const reading = guarded(() => readRun(github, job));
		kept.set(key, { begunAt: now(), reading });
		return reading;
	}
	return () => {
		forget();
		const before = new Set(kept.values());
		const mine = new Map<string, Promise<RunReading>>();
		const shown = async (key: string, job: JobAddress): Promise<RunReading | null> => {
			const earlier = kept.get(key);
			if (!earlier || !before.has(earlier)) return null;
			const reading = await earlier.reading;
			return reading.kind === "read" && reading.jobs.get(job.id)?.status === "queued" ? reading : null;
		};
		const keyOf = ({ repository, runId, attempt }: JobAddress) => `${repository} ${runId} ${attempt}`;
		const read: ReadRun = async (job) => {
			const key = keyOf(job);
			const reading = mine.get(key) ?? reread(key, job);
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
