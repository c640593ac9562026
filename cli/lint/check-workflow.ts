// Checks the text of one workflow. Pure.
import type { ResolvedFile } from "../../contract/config.ts";
import { linePlace, openDocument } from "../../local/workflow/document.ts";
import { checkLabels, type Finding } from "./check-labels.ts";
import { checkPermissions } from "./check-permissions.ts";
import { checkTier } from "./check-tier.ts";
import type { LintJob, LintWorkflow } from "./model.ts";
import { type LintProblem, plainly } from "./problem.ts";
import { readWorkflow } from "./read-workflow.ts";

export interface WorkflowCheck {
	jobs: number;
	problems: LintProblem[];
}

/** `file` is what problems call it, `path` what GitHub calls it. Never throws. */
export function checkWorkflow(file: string, path: string, text: string, config: ResolvedFile | null): WorkflowCheck {
	try {
		return check(file, path, text, config);
	} catch (error) {
		if (!(error instanceof RangeError)) throw error;
		const problem: LintProblem = { file, line: 1, column: 1, severity: "error", rule: "yaml", message: "the file is nested too deeply" };
		return { jobs: 0, problems: [problem] };
	}
}

function check(file: string, path: string, text: string, config: ResolvedFile | null): WorkflowCheck {
	const { source, readable } = openDocument(file, text);
	const workflow = readable ? readWorkflow(source, path) : null;
	const findings = workflow ? [...checkPermissions(workflow), ...workflow.jobs.flatMap((job) => checkJob(workflow, job, config))] : [];
	const ofForm = source.problems.map(
		({ reason, ...place }): LintProblem => ({
			...place,
			severity: "error",
			rule: readable ? "workflow" : "yaml",
			message: plainly(reason),
		}),
	);
	const found = findings.map(({ at, ...finding }): LintProblem => ({ file, ...linePlace(source, at), ...finding }));
	return { jobs: workflow?.jobs.length ?? 0, problems: [...ofForm, ...found] };
}

function checkJob(workflow: LintWorkflow, job: LintJob, config: ResolvedFile | null): Finding[] {
	const { key, at, runsOn, isCall } = job;
	if (runsOn === null) return isCall ? [] : [{ at, severity: "error", rule: "runs-on", message: `job ${key}: it has no runs-on` }];
	const { findings, served, legs: all } = checkLabels(job, runsOn, config);
	const tiers = Map.groupBy(served, ({ request }) => request.tier);
	const ofTiers = [...tiers].flatMap(([tier, its]) => {
		const legs = its.map(({ leg }) => leg);
		const isChosen = legs.length < all && legs.every(({ assumed }) => assumed !== undefined);
		return config ? checkTier(workflow, { job, legs, isChosen, at: runsOn.at }, tier, config) : [];
	});
	return [...findings, ...ofTiers];
}
