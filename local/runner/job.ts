// A job from its first line to its last: set up, hook, steps, hook, clean up. What it became is GitHub's to be told.
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Completion } from "../github/protocol.ts";
import { runHook } from "./hook.ts";
import { complain, contextsOf, type JobEnd, type JobState, record } from "./job-state.ts";
import { processesWith, signalProcess } from "./process-tree.ts";
import { evaluateEnv, runStep, skipStep } from "./step.ts";
import { RUNNER_VERSION } from "./version.ts";

interface SetupGroup {
	group: string;
	detail: string;
}

/** What the machine's owner left in `.setup_info` for the reader of the log. */
function setupGroups(root: string): SetupGroup[] {
	try {
		const groups: SetupGroup[] = JSON.parse(readFileSync(join(root, ".setup_info"), "utf8"));
		return groups.filter(({ group }) => !group.startsWith("_internal_"));
	} catch {
		return [];
	}
}

function setUp(state: JobState, root: string): void {
	const startedAt = Date.now();
	const { log, message, facts } = state;
	log.write(`Current runner version: '${RUNNER_VERSION}'`);
	log.write(`Runner name: '${facts.name}'`);
	log.write(`Machine name: '${hostname()}'`);
	for (const { group, detail } of setupGroups(root))
		for (const line of [`##[group]${group}`, ...String(detail).split("\n"), "##[endgroup]"]) log.write(line);
	try {
		for (const env of message.env) Object.assign(state.env, evaluateEnv(env, contextsOf(state)));
	} catch (error) {
		complain(state, `The template is not valid. env: ${error instanceof Error ? error.message : String(error)}`);
		state.failed = true;
	}
	log.write(`Complete job name: ${message.name}`);
	record(state, "Set up job", state.failed ? "failure" : "success", startedAt);
}

/** What the job's processes left behind carries their mark and may not outlive it. */
function cleanUp(state: JobState): void {
	const startedAt = Date.now();
	state.log.write("Cleaning up orphan processes");
	for (const { pid, name } of processesWith(`RUNNER_TRACKING_ID=${state.facts.trackingId}`)) {
		state.log.write(`Terminate orphan process: pid (${pid}) (${name})`);
		signalProcess(pid, "SIGKILL");
	}
	record(state, "Complete job", "success", startedAt);
}

const ENDS: Record<JobEnd, (state: JobState) => string> = {
	cancelled: () => "The operation was canceled.",
	timeout: ({ message }) => `The job has exceeded the maximum execution time of ${message.timeoutMinutes} minutes.`,
	shutdown: () =>
		"The runner has received a shutdown signal. This can happen when the runner service is stopped, or a manually started runner is canceled.",
};

function evaluateOutputs(state: JobState): Record<string, string> {
	try {
		return evaluateEnv(state.message.outputs, contextsOf(state));
	} catch (error) {
		complain(state, `The template is not valid. outputs: ${error instanceof Error ? error.message : String(error)}`);
		state.failed = true;
		return {};
	}
}

/** A runner that shuts down tells GitHub that the job failed (FACTS 1.7). */
function resultOf(state: JobState, end: JobEnd | null): Completion["result"] {
	if (end === "shutdown") return "Failed";
	if (end !== null) return "Canceled";
	return state.failed ? "Failed" : "Succeeded";
}

async function runSteps(state: JobState): Promise<void> {
	const started = state.inherited.ACTIONS_RUNNER_HOOK_JOB_STARTED;
	if (started && !state.cancel.aborted)
		await runHook(state, { step: "Set up runner", moment: "started", path: started, signal: state.cancel });
	for (const step of state.message.steps) {
		if (state.failed || state.cancel.aborted) skipStep(state, step);
		else await runStep(state, step);
	}
}

/** Runs the job; never throws for what its steps did. `end` of the answer says what cut it short. */
export async function runJob(state: JobState, root: string): Promise<{ completion: Completion; end: JobEnd | null }> {
	setUp(state, root);
	await runSteps(state);
	const end = state.cancel.aborted ? (state.cancel.reason as JobEnd) : null;
	const completed = state.inherited.ACTIONS_RUNNER_HOOK_JOB_COMPLETED;
	if (end !== null) complain(state, ENDS[end](state));
	if (completed && !state.shutdown.aborted)
		await runHook(state, { step: "Complete runner", moment: "completed", path: completed, signal: state.shutdown });
	const outputs = evaluateOutputs(state);
	cleanUp(state);
	const ended = end ?? (state.shutdown.aborted ? "shutdown" : null);
	const { message, records, annotations } = state;
	return { completion: { jobId: message.jobId, result: resultOf(state, ended), outputs, steps: records, annotations }, end: ended };
}
