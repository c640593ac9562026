// The small values that workflow, jobs and steps have in common: env, timeouts, flags, lists of names, permissions. Pure.
import { isScalar, isSeq, type Node } from "yaml";
import { complain, type Field, fieldsOf, followed, isEmpty, placeOf, type Source } from "./document.ts";
import type { Env, Template } from "./model.ts";
import { isWholeExpression, type Spot, templateOf, textOf } from "./template.ts";

/** A mapping of names to templates, such as `env:` and `outputs:`. */
export function readEnv(source: Source, field: Field, { what, place }: Omit<Spot, "at">): Env {
	const env: Env = {};
	if (isEmpty(field.value)) return env;
	for (const { name, at, value } of fieldsOf(source, field.value, field.at, what)) {
		if (name === "" || /[=\0]|\$\{\{/.test(name)) complain(source, at, `${what} has the name '${name}', which cannot be a variable`);
		const text = templateOf(source, value, { at, what: `${name} of ${what}`, place });
		if (text !== null) env[name] = text;
	}
	return env;
}

/** Minutes above 0, whole or not, or an expression for them. */
export function readMinutes(source: Source, { value, at }: Field, spot: Omit<Spot, "at">): number | Template | null {
	if (isScalar(value) && typeof value.value === "number" && value.value > 0) return value.value;
	const text = templateOf(source, value, { at, ...spot });
	if (text !== null && isWholeExpression(text)) return text;
	if (text !== null) complain(source, placeOf(value, at), `${spot.what} must be a number of minutes above 0`);
	return null;
}

/** true, false or an expression for them. */
export function readFlag(source: Source, { value, at }: Field, spot: Omit<Spot, "at">): boolean | Template {
	if (isScalar(value) && typeof value.value === "boolean") return value.value;
	const text = templateOf(source, value, { at, ...spot });
	if (text !== null && isWholeExpression(text)) return text;
	if (text !== null) complain(source, placeOf(value, at), `${spot.what} must be true or false`);
	return false;
}

/** A text or a list of texts, each with its place. */
export function readList(source: Source, { value, at }: Field, what: string): { text: string; node: Node | null; at: number }[] {
	const items = isSeq(value) ? value.items : [value];
	return items.flatMap((item) => {
		const node = followed(source, item);
		const text = textOf(source, node, { at, what: `an entry of ${what}` });
		return text === null ? [] : [{ text, node, at: placeOf(node, at) }];
	});
}

/** Whether the permissions let a job ask for an OIDC token; nothing else of them counts here. */
export function readPermissions(source: Source, field: Field, what: string): boolean {
	if (isScalar(field.value) && !isEmpty(field.value)) {
		const text = String(field.value.value);
		if (!["read-all", "write-all"].includes(text)) complain(source, field.at, `${what} must be read-all, write-all or a mapping`);
		return text === "write-all";
	}
	if (isEmpty(field.value)) return false;
	let idToken = false;
	for (const { name, at, value } of fieldsOf(source, field.value, field.at, what)) {
		const level = textOf(source, value, { at, what: `${name} of ${what}` });
		if (level !== null && !["read", "write", "none"].includes(level))
			complain(source, at, `${name} of ${what} must be read, write or none`);
		if (name === "id-token") idToken = level === "write";
	}
	return idToken;
}
