// What a runner is told of the job it acquired. Pure.
import { githubContext } from "./expand.ts";
import type { JobMessage } from "./protocol.ts";
import { needsOf, type Run, type RunJob } from "./run.ts";

/** `idToken` is present only for a job with `id-token: write`. Templates go as they are: the runner evaluates them step by step. */
export function jobMessage(run: Run, job: RunJob, api: string, idToken: JobMessage["idToken"]): JobMessage {
	return {
		jobId: job.id,
		name: job.name,
		github: githubContext(run, job.key, api),
		matrix: job.leg,
		needs: needsOf(run, job.spec) ?? {},
		env: [run.workflow.env, job.spec.env],
		outputs: job.spec.outputs,
		steps: job.spec.steps,
		workingDirectory: job.spec.workingDirectory,
		timeoutMinutes: job.timeoutMinutes,
		event: run.payload,
		idToken: job.spec.idToken ? idToken : null,
	};
}
