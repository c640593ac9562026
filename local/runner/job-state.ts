// What a Worker knows of its job while it runs it: what the steps have set, said and become so far.
import type { Completion, JobMessage } from "../github/protocol.ts";
import type { Conclusion } from "../workflow/model.ts";
import type { Clocks } from "./clocks.ts";
import type { Folders } from "./folders.ts";
import { githubContext, type RunnerFacts, runnerContext } from "./job-variables.ts";
import type { LogStream } from "./log-stream.ts";
import type { Environment } from "./start-up.ts";

export interface StepState {
	outputs: Record<string, string>;
	outcome: Conclusion;
	conclusion: Conclusion;
}

export interface JobState {
	message: JobMessage;
	folders: Folders;
	facts: RunnerFacts;
	clocks: Clocks;
	/** The Worker's own environment, which every process of the job inherits. */
	inherited: Environment;
	/** GITHUB_* and RUNNER_*: no step may change them. */
	variables: Environment;
	/** Workflow and job env, and what steps wrote into $GITHUB_ENV. */
	env: Environment;
	/** What steps wrote into $GITHUB_PATH, the latest first. */
	path: string[];
	/** By id, for expressions. */
	steps: Record<string, StepState>;
	records: Completion["steps"];
	annotations: string[];
	log: LogStream;
	failed: boolean;
	/** Aborted when the current step must end: job cancelled, out of time, or the runner shuts down. The reason is a JobEnd. */
	cancel: AbortSignal;
	/** Aborted when nothing more may run at all. */
	shutdown: AbortSignal;
}

export type JobEnd = "cancelled" | "timeout" | "shutdown";

/** Contexts for expressions; `env` is a step's own if it has one. */
export function contextsOf(state: JobState, env: Environment = state.env): Record<string, unknown> {
	const { message, folders, facts, steps } = state;
	return {
		github: githubContext(message, folders),
		runner: runnerContext(facts, folders),
		...{ matrix: message.matrix, needs: message.needs, steps, env },
	};
}

/** An error in the log and beside the job. */
export function complain(state: JobState, reason: string): void {
	state.log.write(`##[error]${reason}`);
	state.annotations.push(state.log.masked(reason));
}

/** Writes down how a step ended. Steps are numbered in the order in which they are recorded. */
export function record(state: JobState, name: string, conclusion: Conclusion, startedAt: number): void {
	state.records.push({ name: state.log.masked(name), conclusion, number: state.records.length + 1, startedAt, completedAt: Date.now() });
}
