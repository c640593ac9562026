// A workflow file, read whole: either the workflow or everything that is wrong with it, each with its line. Pure.
import { isMap } from "yaml";
import { complain, type Field, fieldsOf, isEmpty, openDocument, type Problem, placeOf, type Source } from "./document.ts";
import type { Env, Job, Workflow } from "./model.ts";
import { readJob } from "./read-job.ts";
import { readEnv, readPermissions } from "./read-values.ts";
import { textOf } from "./template.ts";

export type Reading = { ok: true; workflow: Workflow } | { ok: false; problems: Problem[] };

/** Jobs that wait for themselves: each cycle once, as the keys on its way round. */
function cyclesOf(jobs: Job[]): string[][] {
	const cycles: string[][] = [];
	let left = new Map(jobs.map((job) => [job.key, job.needs]));
	while (left.size > 0) {
		const waiting = new Map([...left].filter(([, needs]) => needs.some((need) => left.has(need))));
		if (waiting.size < left.size) {
			left = waiting;
			continue;
		}
		const way: string[] = [];
		for (let key = [...left.keys()][0]; key !== undefined && !way.includes(key); key = left.get(key)?.find((need) => left.has(need)))
			way.push(key);
		const start = way.findIndex((key) => left.get(way.at(-1) ?? "")?.includes(key));
		cycles.push(way.slice(start));
		for (const key of way.slice(start)) left.delete(key);
	}
	return cycles;
}

/** Where a job's `needs:` stands. */
function placeOfNeeds(source: Source, fields: Field[], key: string): number {
	const own = fields.find(({ name }) => name === key);
	const needs = own && isMap(own.value) ? fieldsOf(source, own.value, own.at, key).find(({ name }) => name === "needs") : undefined;
	return needs?.at ?? own?.at ?? 0;
}

function checkNeeds(source: Source, jobs: Job[], fields: Field[]): void {
	const keys = new Set(jobs.map(({ key }) => key));
	for (const { key, needs } of jobs)
		for (const need of needs.filter((name) => !keys.has(name)))
			complain(source, placeOfNeeds(source, fields, key), `job ${key} needs ${need || "''"}, which is no job of this workflow`);
	for (const cycle of cyclesOf(jobs)) {
		const [first = ""] = cycle;
		complain(source, placeOfNeeds(source, fields, first), `job ${first} waits for itself: ${[...cycle, first].join(" needs ")}`);
	}
}

function readJobs(source: Source, field: Field, idToken: boolean): Job[] {
	const fields = isEmpty(field.value) ? [] : fieldsOf(source, field.value, field.at, "jobs");
	if (fields.length === 0) complain(source, field.at, "jobs has no job");
	const jobs = fields.map((job) => readJob(source, job, idToken));
	checkNeeds(source, jobs, fields);
	return jobs;
}

function readTop(source: Source, file: string): Workflow {
	const workflow: Workflow = { file, name: file, env: {} as Env, jobs: [] };
	const fields = fieldsOf(source, source.document.contents, 0, "a workflow file");
	const permissions = fields.find(({ name }) => name === "permissions");
	const idToken = permissions ? readPermissions(source, permissions, "permissions of the workflow") : false;
	for (const field of fields) {
		if (field.name === "name") workflow.name = textOf(source, field.value, { at: field.at, what: "name of the workflow" }) || file;
		else if (field.name === "env") workflow.env = readEnv(source, field, { what: "env of the workflow", place: "workflow" });
		else if (field.name === "jobs") workflow.jobs = readJobs(source, field, idToken);
		else if (!["on", "permissions"].includes(field.name)) complain(source, field.at, `unsupported key ${field.name} in the workflow`);
	}
	if (isMap(source.document.contents) && !fields.some(({ name }) => name === "jobs"))
		complain(source, placeOf(source.document.contents), "the workflow has no jobs");
	return workflow;
}

/** One problem as it is printed. */
export function problemLine({ file, line, reason }: Problem): string {
	return `${file}:${line}: ${reason}`;
}

/** Reads the text of a workflow file; `file` is what problems call it. Never throws. */
export function readWorkflow(file: string, text: string): Reading {
	const { source, readable } = openDocument(file, text);
	let workflow: Workflow | null = null;
	if (readable && isEmpty(source.document.contents)) complain(source, 0, "the file is empty: a workflow needs jobs");
	else if (readable) workflow = readTop(source, file);
	if (workflow && source.problems.length === 0) return { ok: true, workflow };
	return { ok: false, problems: source.problems.toSorted((one, other) => one.line - other.line) };
}
