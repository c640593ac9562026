// What the job-started hook's form says of the job: the runner's GITHUB_* variables and the event's payload (FACTS 1.8). Pure.
import type { RuleFacts } from "../contract/rule.ts";

type Json = Record<string, unknown>;

function member(value: unknown, ...path: string[]): unknown {
	return path.reduce<unknown>((at, name) => (typeof at === "object" && at !== null ? (at as Json)[name] : undefined), value);
}

/** The repository that the code of an event comes from, for the events that may bring a fork's; undefined for others, null for a deleted one. */
function headOf(payload: unknown): unknown {
	const brought = ["pull_request", "workflow_run"].find((name) => typeof (member(payload, name) ?? undefined) === "object");
	if (brought === "pull_request") return member(payload, "pull_request", "head", "repo", "full_name") ?? null;
	if (brought === "workflow_run") return member(payload, "workflow_run", "head_repository", "full_name") ?? null;
	return undefined;
}

/** Whether the job's code may be a fork's. Null, unknown, without a payload that can be read. */
export function isFromFork(payload: string | null, repository: string | null): boolean | null {
	if (payload === null) return null;
	try {
		const head = headOf(JSON.parse(payload));
		if (head === undefined) return false;
		return typeof head !== "string" || head.toLowerCase() !== repository?.toLowerCase();
	} catch {
		return null;
	}
}

/** `octo-org/octo-repo/.github/workflows/build.yml@refs/heads/main` as the rules name it: the path alone, or all but the ref for another repository's. */
export function workflowPath(ref: string | null, repository: string | null): string | null {
	// The file's own name may have an @ as well: all of it up to the last one before the ref.
	const [, holder, path] = /^([^/]+\/[^/]+)\/(\.github\/workflows\/[^/]+)@./.exec(ref ?? "") ?? [];
	if (holder === undefined || path === undefined) return null;
	return holder.toLowerCase() === repository?.toLowerCase() ? path : `${holder}/${path}`;
}

/**
 * `fields` are the form's texts by name; an empty one is unknown. The runner does not know the environment, so no build tier can ask for it
 * here. A rerun has two actors: there are facts for each, and each must be admitted.
 */
export function factsOf(fields: ReadonlyMap<string, string>, payload: string | null): RuleFacts[] {
	const known = (name: string) => fields.get(name)?.slice(0, 2048) || null;
	const repository = known("repository");
	const facts = {
		event: known("event_name"),
		ref: known("ref"),
		environment: null,
		workflow: workflowPath(known("workflow_ref"), repository),
		repository,
		fork: isFromFork(payload, repository),
	};
	const actors = new Set([known("actor"), known("triggering_actor")]);
	return [...actors].map((actor) => ({ ...facts, actor }));
}
