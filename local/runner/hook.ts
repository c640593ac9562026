// The administrator's scripts around a job, ACTIONS_RUNNER_HOOK_JOB_STARTED and _COMPLETED (FACTS 1.8): on the host, as a step of their own,
// without the env of workflow and job.
import { existsSync } from "node:fs";
import { complain, type JobState, record } from "./job-state.ts";
import { runScript } from "./script.ts";

export interface Hook {
	/** The step's name in the log. */
	step: "Set up runner" | "Complete runner";
	moment: "started" | "completed";
	path: string;
	signal: AbortSignal;
}

async function runHookScript(state: JobState, { path, signal }: Hook): Promise<string | null> {
	if (!existsSync(path)) return "File doesn't exist";
	if (!path.endsWith(".sh")) return `'${path}' is not a valid path to a script. Make sure it ends in '.sh'.`;
	const bash = Bun.which("bash", { PATH: state.inherited.PATH ?? "" }) ?? "/bin/bash";
	state.log.write(`##[group]Run '${path}'`);
	state.log.write(`shell: ${bash} -e {0}`);
	state.log.write("##[endgroup]");
	return (await runScript(state, { command: [bash, "-e", path], cwd: state.folders.workspace, env: {}, signal })).failure;
}

/** Runs a hook as a step. One that fails, or is not there, fails the job. */
export async function runHook(state: JobState, hook: Hook): Promise<void> {
	const startedAt = Date.now();
	state.log.write(`A job ${hook.moment} hook has been configured by the self-hosted runner administrator`);
	const failure = await runHookScript(state, hook);
	const conclusion = hook.signal.aborted ? "cancelled" : failure === null ? "success" : "failure";
	if (conclusion === "failure" && failure !== null) {
		complain(state, failure);
		state.failed = true;
	}
	record(state, hook.step, conclusion, startedAt);
}
