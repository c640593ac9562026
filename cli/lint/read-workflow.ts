// A workflow file as lint sees it. It reads more than local/workflow/read.ts, which refuses what cannot run on one machine. Pure.
import { isMap, isSeq } from "yaml";
import { complain, type Field, fieldsOf, isEmpty, placeOf, type Source } from "../../local/workflow/document.ts";
import { readList } from "../../local/workflow/read-values.ts";
import { textOf } from "../../local/workflow/template.ts";
import type { LintWorkflow } from "./model.ts";
import { readJob } from "./read-job.ts";
import { readPermissions } from "./read-permissions.ts";

function readEvents(source: Source, field: Field): string[] {
	if (isMap(field.value)) return fieldsOf(source, field.value, field.at, "on").map(({ name }) => name);
	if (isSeq(field.value)) return readList(source, field, "on").map(({ text }) => text);
	const event = textOf(source, field.value, { at: field.at, what: "on" });
	return event ? [event] : [];
}

/** Reads a workflow; null for a file that is none. What is wrong with its form is told to the source. */
export function readWorkflow(source: Source, path: string): LintWorkflow | null {
	const top = source.document.contents;
	if (isEmpty(top)) {
		complain(source, 0, "the file is empty: a workflow needs on and jobs");
		return null;
	}
	const fields = fieldsOf(source, top, 0, "a workflow file");
	if (!isMap(top)) return null;
	const has = (wanted: string) => fields.find(({ name }) => name === wanted);
	const [on, permissions, jobs] = [has("on"), has("permissions"), has("jobs")];
	if (!on) complain(source, placeOf(top), "the workflow has no on: nothing starts it");
	const jobFields = jobs && !isEmpty(jobs.value) ? fieldsOf(source, jobs.value, jobs.at, "jobs") : [];
	if (jobFields.length === 0) complain(source, jobs?.at ?? placeOf(top), "the workflow has no jobs");
	return {
		path,
		events: on ? readEvents(source, on) : [],
		permissions: permissions ? readPermissions(source, permissions, "permissions of the workflow") : null,
		jobs: jobFields.map((field) => readJob(source, field)),
	};
}
