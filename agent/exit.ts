// What the Listener's exit codes mean (FACTS 1.3), in one table. Pure.

export type Conclusion = "success" | "failure" | "cancelled" | "skipped";

export type RunnerExit =
	/** It ran its job. */
	| { kind: "result"; conclusion: Conclusion }
	/** It could not start; another try may. */
	| { kind: "retryable" }
	/** It replaces itself and wants to be started again. */
	| { kind: "updating" }
	/** It will not run a job, and starting it again would not help. */
	| { kind: "ended"; reason: string; deprecated: boolean };

/** The runner's own words for a job's result, as in its last line, and GitHub's. An abandoned job is failed by GitHub. */
export const CONCLUSIONS = {
	Succeeded: "success",
	SucceededWithIssues: "success",
	Failed: "failure",
	Canceled: "cancelled",
	Skipped: "skipped",
	Abandoned: "failure",
} as const satisfies Record<string, Conclusion>;
export type JobResult = keyof typeof CONCLUSIONS;

const ended = (reason: string, deprecated = false): RunnerExit => ({ kind: "ended", reason, deprecated });
const result = (name: JobResult): RunnerExit => ({ kind: "result", conclusion: CONCLUSIONS[name] });

const EXITS: Record<number, RunnerExit> = {
	0: ended("the runner left without a job"),
	1: ended("the runner ended with an error that no other try would mend"),
	2: { kind: "retryable" },
	3: { kind: "updating" },
	4: { kind: "updating" },
	5: ended("the runner's session is held elsewhere"),
	7: ended("the runner's version is deprecated: GitHub gives it no jobs", true),
	100: result("Succeeded"),
	101: result("SucceededWithIssues"),
	102: result("Failed"),
	103: result("Canceled"),
	104: result("Skipped"),
	105: result("Abandoned"),
};

/** Reads how the Listener ended. A signal has no code. */
export function readExit(code: number | null, signal: string | null): RunnerExit {
	if (code === null) return ended(`the runner was ended by ${signal ?? "a signal"}`);
	return EXITS[code] ?? ended(`the runner ended with the unknown code ${code}`);
}
