// One job of a workflow, as far as lint looks at it. Pure.
import { isMap, isSeq } from "yaml";
import { complain, type Field, fieldsOf, isEmpty, placeOf, type Source } from "../../local/workflow/document.ts";
import { readList } from "../../local/workflow/read-values.ts";
import { textOf } from "../../local/workflow/template.ts";
import type { LintJob, RunsOn } from "./model.ts";
import { ONE_LEG, readLegs } from "./read-matrix.ts";
import { readPermissions } from "./read-permissions.ts";

function labelsOf(source: Source, field: Field, what: string): string | string[] {
	if (isSeq(field.value)) return readList(source, field, what).map(({ text }) => text);
	return textOf(source, field.value, { at: field.at, what }) ?? [];
}

function readRunsOn(source: Source, field: Field, what: string): RunsOn {
	const at = placeOf(field.value, field.at);
	if (!isMap(field.value)) return { at, labels: labelsOf(source, field, what), group: false };
	const fields = fieldsOf(source, field.value, field.at, what);
	for (const strange of fields.filter(({ name }) => name !== "group" && name !== "labels"))
		complain(source, strange.at, `unknown key ${strange.name} in ${what}: there is group and labels`);
	const labels = fields.find(({ name }) => name === "labels");
	return { at, labels: labels ? labelsOf(source, labels, `labels in ${what}`) : [], group: fields.some(({ name }) => name === "group") };
}

function readEnvironment(source: Source, field: Field, what: string): string | null {
	if (isEmpty(field.value)) return null;
	if (!isMap(field.value)) return textOf(source, field.value, { at: field.at, what }) || null;
	const name = fieldsOf(source, field.value, field.at, what).find(({ name }) => name === "name");
	return name ? textOf(source, name.value, { at: name.at, what: `name of ${what}` }) || null : null;
}

/** Reads a job; what has not the form of a job is told to the source. */
export function readJob(source: Source, { name: key, at, value }: Field): LintJob {
	const what = `job ${key}`;
	const fields = fieldsOf(source, value, at, what);
	const has = (wanted: string) => fields.find(({ name }) => name === wanted);
	const [runsOn, strategy, permissions, environment] = [has("runs-on"), has("strategy"), has("permissions"), has("environment")];
	if (has("uses") && runsOn)
		complain(
			source,
			runsOn.at,
			`${what} has uses and runs-on: GitHub refuses it, since the workflow that is called says where its jobs run`,
		);
	return {
		key,
		at,
		isCall: has("uses") !== undefined,
		runsOn: runsOn ? readRunsOn(source, runsOn, `runs-on of ${what}`) : null,
		permissions: permissions ? readPermissions(source, permissions, `permissions of ${what}`) : null,
		environment: environment ? readEnvironment(source, environment, `environment of ${what}`) : null,
		isConditional: has("if") !== undefined,
		legs: strategy ? readLegs(source, strategy, what) : ONE_LEG,
	};
}
