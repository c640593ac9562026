// `permissions:` of a workflow or job. Pure.
import { isScalar } from "yaml";
import { complain, type Field, fieldsOf, isEmpty, placeOf, type Source } from "../../local/workflow/document.ts";
import { textOf } from "../../local/workflow/template.ts";
import type { Level, Permissions } from "./model.ts";

/**
 * GitHub's page "Workflow syntax", `permissions`; with repository-projects, which its older servers have, and copilot-requests, which
 * stands on a page of its own.
 */
const SCOPES = [
	...["actions", "artifact-metadata", "attestations", "checks", "code-quality", "contents", "copilot-requests", "deployments"],
	...["discussions", "id-token", "issues", "models", "packages", "pages", "pull-requests", "repository-projects"],
	...["security-events", "statuses", "vulnerability-alerts"],
];
const LEVELS: readonly string[] = ["read", "write", "none"] satisfies Level[];

/** Reads the permissions that a workflow or job sets; an empty value gives none at all, as on GitHub. */
export function readPermissions(source: Source, { value, at }: Field, what: string): Permissions {
	const permissions: Permissions = { at, all: null, scopes: {}, strange: [] };
	if (isEmpty(value)) return permissions;
	if (isScalar(value)) {
		if (value.value === "read-all" || value.value === "write-all") permissions.all = value.value;
		else complain(source, placeOf(value, at), `${what} must be read-all, write-all or a mapping`);
		return permissions;
	}
	for (const scope of fieldsOf(source, value, at, what)) {
		const level = textOf(source, scope.value, { at: scope.at, what: `${scope.name} of ${what}` });
		if (level === null) continue;
		const name = scope.name.toLowerCase();
		const isKnown = SCOPES.includes(name);
		if (!isKnown) permissions.strange.push({ name: scope.name, at: scope.at });
		if (LEVELS.includes(level) && isKnown) permissions.scopes[name] = level as Level;
		else if (!LEVELS.includes(level))
			complain(source, placeOf(scope.value, scope.at), `${scope.name} of ${what} must be read, write or none`);
	}
	return permissions;
}
