// Reads runs and their jobs from GitHub: once for each run and attempt in a batch, not once for each job.
import { GitHubError } from "./github-error.ts";
import type { GitHub, RepositoryRef, RunJob } from "./ports.ts";
import type { RunReading } from "./verify.ts";

export interface JobAddress extends RepositoryRef {
	id: number;
	runId: number;
	attempt: number;
}
export type ReadRun = (job: JobAddress) => Promise<RunReading>;

/** A reader for one batch. What goes wrong is a reading too. */
export function createRunReader(github: GitHub): ReadRun {
	const kept = new Map<string, Promise<RunReading>>();
	return async (job) => {
		const key = `${job.repository} ${job.runId} ${job.attempt}`;
		const reading = kept.get(key) ?? guarded(() => readRun(github, job));
		kept.set(key, reading);
		return withJob(github, job, await reading);
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
