// A workflow as lint sees it: what decides which machine runs a job and what the job may do. `at` is an offset in the file.
import type { Template } from "../../local/workflow/model.ts";
import type { Leg } from "./known.ts";

export type Level = "read" | "write" | "none";

export interface Permissions {
	at: number;
	/** `permissions: read-all` or `write-all`. */
	all: "read-all" | "write-all" | null;
	/** By name in lower case. */
	scopes: Record<string, Level>;
	/** Names that are no scope of GitHub's. */
	strange: { name: string; at: number }[];
}

export interface RunsOn {
	at: number;
	/** One text may be an expression that gives several labels. */
	labels: Template | Template[];
	/** `group:` is set. */
	group: boolean;
}

export interface LintJob {
	key: string;
	at: number;
	/** It calls a reusable workflow, which says itself where its jobs run. */
	isCall: boolean;
	runsOn: RunsOn | null;
	permissions: Permissions | null;
	/** Name of the environment; null without one. */
	environment: Template | null;
	/** `if:` is set: the job may leave out some of the workflow's events. */
	isConditional: boolean;
	legs: Leg[];
}

export interface LintWorkflow {
	/** As GitHub names it: `.github/workflows/build.yml`. */
	path: string;
	events: string[];
	permissions: Permissions | null;
	jobs: LintJob[];
}
