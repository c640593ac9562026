// A workflow file after it was read: what the GitHub stand-in queues and the runner stand-in runs. Texts may hold `${{ }}` templates.

/** A text in which `${{ }}` expressions are still to be evaluated. */
export type Template = string;
export type Env = Record<string, Template>;
export type MatrixLeg = Record<string, string | number | boolean | null | object>;

export interface Step {
	/** Line of the file it begins at, from 1. */
	line: number;
	id: string | null;
	name: Template | null;
	run: Template;
	/** `shell: bash` was written out: bash then runs with `pipefail` and reads no start-up files, as on GitHub. */
	shell?: "bash";
	env: Env;
	workingDirectory: Template | null;
	continueOnError: Template | boolean;
	timeoutMinutes: Template | number | null;
}

export interface Job {
	key: string;
	line: number;
	name: Template | null;
	needs: string[];
	/** Labels; each may hold an expression, and one whole expression may give a list. */
	runsOn: Template[];
	env: Env;
	/** Legs of the matrix; one empty leg without a matrix. */
	matrix: MatrixLeg[];
	outputs: Env;
	continueOnError: Template | boolean;
	timeoutMinutes: Template | number | null;
	workingDirectory: Template | null;
	/** `permissions: id-token: write` lets the job ask for an OIDC token. */
	idToken: boolean;
	environment: string | null;
	steps: Step[];
}

export interface Workflow {
	/** Path as the user gave it. */
	file: string;
	name: string;
	env: Env;
	jobs: Job[];
}

export type Conclusion = "success" | "failure" | "cancelled" | "skipped";
