// `--jobs N`: N copies of one job, as legs of a matrix. Pure.
import type { Workflow } from "./model.ts";

/** Copies the only job of a workflow; each copy knows its number as `matrix.copy`. A workflow of several jobs, or one with a matrix, has nothing to copy. */
export function copyJob(workflow: Workflow, copies: number): { ok: true; workflow: Workflow } | { ok: false; problems: string[] } {
	const [job, ...others] = workflow.jobs;
	if (job === undefined || others.length > 0)
		return { ok: false, problems: [`${workflow.file}:1: --jobs copies one job, and this workflow has ${workflow.jobs.length}`] };
	if (job.matrix.length > 1)
		return { ok: false, problems: [`${workflow.file}:${job.line}: --jobs copies one job, and this one has a matrix`] };
	const matrix = Array.from({ length: copies }, (_, index) => ({ ...job.matrix[0], copy: index + 1 }));
	return { ok: true, workflow: { ...workflow, jobs: [{ ...job, matrix }] } };
}
