// `permissions:` of a workflow or job. Pure.
import { isScalar } from "yaml";
import { complain, type Field, fieldsOf, isEmpty, placeOf, type Source } from "../../local/workflow/document.ts";
import { textOf } from "../../local/workflow/template.ts";
import type { Level, Permissions } from "./model.ts";

const LEVELS: readonly string[] = ["read", "write", "none"] satisfies Level[];

/** Reads the permissions that a workflow or job sets; an empty value gives none at all, as on GitHub. */
export function readPermissions(source: Source, { value, at }: Field, what: string): Permissions {
	const permissions: Permissions = { at, all: null, scopes: {} };
	if (isEmpty(value)) return permissions;
	if (isScalar(value)) {
		if (value.value === "read-all" || value.value === "write-all") permissions.all = value.value;
		else complain(source, placeOf(value, at), `${what} must be read-all, write-all or a mapping`);
		return permissions;
	}
	for (const scope of fieldsOf(source, value, at, what)) {
		const level = textOf(source, scope.value, { at: scope.at, what: `${scope.name} of ${what}` });
		if (level === null) continue;
		if (LEVELS.includes(level)) permissions.scopes[scope.name] = level as Level;
		else complain(source, placeOf(scope.value, scope.at), `${scope.name} of ${what} must be read, write or none`);
	}
	return permissions;
}
