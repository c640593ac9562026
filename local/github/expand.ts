// From one job of the workflow file to the jobs that are queued: name, labels, environment of each matrix leg. Pure, given the evaluator.
import type { Job, MatrixLeg } from "../workflow/model.ts";
import { branchOf, type Needs, type Run, workflowPath } from "./run.ts";

/** The evaluator of `${{ }}`; throws on an expression it cannot read. */
export interface Expressions {
	evaluate(template: string, contexts: Record<string, unknown>): string;
	evaluateValue(template: string, contexts: Record<string, unknown>): unknown;
}

export interface Expanded {
	name: string;
	labels: string[];
	environment: string | null;
	allowedToFail: boolean;
	timeoutMinutes: number;
}

function flat(value: unknown): string[] {
	if (value !== null && typeof value === "object") return Object.values(value).flatMap(flat);
	return [String(value)];
}

/** `key (a, b)`, as GitHub names the legs of a matrix. */
export function legName(key: string, leg: MatrixLeg): string {
	const values = Object.values(leg).flatMap(flat);
	return values.length > 0 ? `${key} (${values.join(", ")})` : key;
}

/** The `github` context; numbers are texts there. */
export function githubContext(run: Run, key: string, api: string): Record<string, unknown> {
	const branch = branchOf(run);
	return {
		action: "",
		actor: run.actor.login,
		actor_id: String(run.actor.id),
		api_url: api,
		base_ref: run.event.startsWith("pull_request") ? "main" : "",
		event: run.payload,
		event_name: run.event,
		graphql_url: `${api}/graphql`,
		head_ref: run.event.startsWith("pull_request") ? branch : "",
		job: key,
		ref: run.ref,
		ref_name: branch,
		ref_protected: "false",
		ref_type: run.ref.startsWith("refs/tags/") ? "tag" : "branch",
		repository: run.repository.fullName,
		repository_id: String(run.repository.id),
		repository_owner: run.repository.owner.login,
		repository_owner_id: String(run.repository.owner.id),
		retention_days: "90",
		run_attempt: String(run.attempt),
		run_id: String(run.id),
		run_number: String(run.number),
		server_url: "https://github.com",
		sha: run.sha,
		triggering_actor: run.actor.login,
		workflow: run.workflow.name,
		workflow_ref: `${run.repository.fullName}/${workflowPath(run)}@${run.ref}`,
		workflow_sha: run.sha,
	};
}

function labelsOf(spec: Job, contexts: Record<string, unknown>, { evaluateValue }: Expressions): string[] {
	const labels = spec.runsOn.flatMap((template) => evaluateValue(template, contexts) as unknown);
	if (labels.length === 0 || labels.some((label) => typeof label !== "string" || label === ""))
		throw new Error(`runs-on is ${JSON.stringify(labels)}, not a list of labels`);
	return labels as string[];
}

/** Reads the templates of one leg. Throws when one cannot be evaluated or `runs-on` comes out empty. */
export function expandLeg(spec: Job, leg: MatrixLeg, needs: Needs, github: Record<string, unknown>, expressions: Expressions): Expanded {
	const contexts = { github, needs, matrix: leg, env: {}, vars: {}, inputs: {}, strategy: { "job-total": spec.matrix.length } };
	const { evaluate, evaluateValue } = expressions;
	const named = spec.name === null ? spec.key : evaluate(spec.name, contexts);
	const value = (template: string | number | boolean | null) =>
		typeof template === "string" ? evaluateValue(template, contexts) : template;
	const allowed = value(spec.continueOnError);
	return {
		name: spec.name?.includes("matrix.") ? named : legName(named, leg),
		labels: labelsOf(spec, contexts, expressions),
		environment: spec.environment === null ? null : evaluate(spec.environment, contexts) || null,
		allowedToFail: allowed === true || allowed === "true",
		timeoutMinutes: Number(value(spec.timeoutMinutes) ?? 360),
	};
}
