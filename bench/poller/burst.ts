// One burst of queued jobs, from the webhooks' acceptance to their machines' boot documents.
import type { Job } from "../../local/workflow/model.ts";
import { percentile } from "../statistics.ts";
import type { Stage } from "./stage.ts";

export interface Burst {
	jobs: number;
	labels: number;
	/** Milliseconds from the first webhook accepted to the first, middle and last document; NaN if some never came. */
	first: number;
	median: number;
	last: number;
	/** Longest that a machine waited for its document after CreateFleet had answered, ms. */
	longestWait: number;
	/** Calls by what they were. */
	calls: { createFleet: number; otherEc2: number; githubReads: number; githubChanges: number; documents: number };
}

const PATIENCE_MS = 30_000;
/** GitHub's budget paces what is more than a minute's. */
const MS_PER_JOB = 700;

function jobOf(at: number, labels: number): Job {
	return {
		...{ key: `job${at}`, line: 1, name: null, needs: [], runsOn: [`mayfly=${at % labels}/cpu=2`], env: {}, matrix: [{}], outputs: {} },
		...{ continueOnError: false, timeoutMinutes: null, workingDirectory: null, idToken: false, environment: null, steps: [] },
	};
}

/** Queues a run with so many jobs at GitHub, which sends its webhooks, and waits for every document. */
export async function burst(stage: Stage, count: number, labels = 1): Promise<Burst> {
	const { github, ec2, asked, written } = stage;
	const before = { asked: asked.length, ec2: ec2.calls().length, documents: written.length };
	const jobs = Array.from({ length: count }, (_, at) => jobOf(at, labels));
	const run = github.createRun({ repository: "octo-org/octo-repo", workflow: { file: "bench.yml", name: "bench", env: {}, jobs } });
	const deadline = Date.now() + PATIENCE_MS + count * MS_PER_JOB;
	while (written.length < before.documents + count && Date.now() < deadline) await Bun.sleep(5);
	const ids = github.jobs().flatMap(({ id, runId }) => (runId === run.id ? [id] : []));
	const accepted = github.deliveries().filter(({ jobId, statusCode }) => ids.includes(jobId) && statusCode === 202);
	const begun = Math.min(...accepted.map(({ at, duration }) => at + duration * 1000));
	// In a long burst a runner may take another's job, whose own machine is then for the one that lost its: documents count, not jobs.
	const made = Array.from({ length: count }, (_, at) => written[before.documents + at]);
	const times = made.map((it) => (it?.at ?? Number.NaN) - begun);
	const waits = made.map((it) => (it ? it.at - it.document.timestamps.launchedAt : Number.NaN));
	const calls = asked.slice(before.asked);
	const actions = ec2.calls().slice(before.ec2);
	return {
		...{ jobs: count, labels, first: Math.min(...times), median: percentile(times, 0.5), last: Math.max(...times) },
		longestWait: Math.max(...waits),
		calls: {
			createFleet: actions.filter(({ action }) => action === "CreateFleet").length,
			otherEc2: actions.filter(({ action }) => action !== "CreateFleet").length,
			githubReads: calls.filter((it) => it.startsWith("GET /repos")).length,
			githubChanges: calls.filter((it) => !it.startsWith("GET") && !it.includes("access_tokens")).length,
			documents: written.length - before.documents,
		},
	};
}
