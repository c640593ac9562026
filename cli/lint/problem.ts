// What lint finds: where, how bad, by which rule. Pure.

/** Every rule, and what it says; docs/configuration.md says why. */
export const RULES = {
	file: "a workflow or mayfly.yml cannot be read as text",
	yaml: "a workflow is not YAML",
	config: "mayfly.yml is wrong",
	workflow: "a workflow has not the form that GitHub asks for",
	"runs-on": "runs-on is missing, empty, or an expression that cannot be evaluated",
	label: "Mayfly refuses the job's label",
	"label-not-unique": "a label without ${{ github.run_id }}: runs share their machines",
	"label-unserved": "no preset lists these plain labels, or the label is for another stack",
	"label-unknown": "labels that are known only when the job runs (a note)",
	"runs-on-label": "a RunsOn label, which is served only with acceptRunsOnLabels",
	permissions: "neither the workflow nor the job sets permissions",
	"permissions-wide": "write-all, more than four write scopes, or write scopes that several jobs inherit",
	"permissions-unknown": "a scope that GitHub does not have",
	"tier-event": "the job's tier does not admit an event of the workflow",
	"tier-workflow": "the job's tier does not admit this workflow file",
	"tier-environment": "the job's tier does not admit the job's environment",
	"tier-protected": "a build tier, and an environment that only deploy tiers serve",
	"deploy-event": "a deploy tier, and an event that others than maintainers can cause",
	"deploy-id-token": "a deploy tier without permissions: id-token: write",
	"deploy-environment": "a deploy tier, and a job without environment:",
} as const;
export type Rule = keyof typeof RULES;

/** A note says what could not be checked; it never fails. */
export type Severity = "error" | "warning" | "note";

export interface LintProblem {
	file: string;
	/** From 1. */
	line: number;
	/** From 1. */
	column: number;
	severity: Severity;
	rule: Rule;
	message: string;
}

export type Counts = Record<`${Severity}s`, number>;

/** The YAML library speaks to whoever calls it; an author has a file. */
export function plainly(reason: string): string {
	return reason.replace(/^.*multiple documents.*$/s, "the file has more than one document: --- begins another, and there may be only one");
}

const byText = (one: string, other: string) => (one < other ? -1 : Number(one > other));

/** By file, line and column; what is said twice, as of two legs of a matrix, stays once. */
export function sorted(problems: readonly LintProblem[]): LintProblem[] {
	const all = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
	return [...all.values()].toSorted(
		(one, other) =>
			byText(one.file, other.file) || one.line - other.line || one.column - other.column || byText(one.message, other.message),
	);
}

export function countsOf(problems: readonly LintProblem[]): Counts {
	const count = (severity: Severity) => problems.filter((problem) => problem.severity === severity).length;
	return { errors: count("error"), warnings: count("warning"), notes: count("note") };
}
