// One job of a workflow. Pure.
import { isMap, isSeq, type Node } from "yaml";
import { complain, type Field, fieldsOf, followed, isEmpty, placeOf, type Source } from "./document.ts";
import type { Job, Step } from "./model.ts";
import { readStrategy } from "./read-matrix.ts";
import { NAME, readStep } from "./read-step.ts";
import { readEnv, readFlag, readList, readMinutes, readPermissions } from "./read-values.ts";
import { templateOf, textOf } from "./template.ts";

type Setter = (job: Job, source: Source, field: Field, what: string) => void;

const emptyJob = (key: string, line: number, idToken: boolean): Job => ({
	key,
	line,
	name: null,
	needs: [],
	runsOn: [],
	env: {},
	matrix: [{}],
	outputs: {},
	continueOnError: false,
	timeoutMinutes: null,
	workingDirectory: null,
	idToken,
	environment: null,
	steps: [],
});

function readRunsOn(source: Source, field: Field, what: string): string[] {
	if (isEmpty(field.value) || (isSeq(field.value) && field.value.items.length === 0)) {
		complain(source, field.at, `runs-on of ${what} is empty`);
		return [];
	}
	if (!isSeq(field.value) && textOf(source, field.value, { at: field.at, what: `runs-on of ${what}` }) === null) return [];
	return readList(source, field, `runs-on of ${what}`).map(({ text, node, at }) => {
		if (text.trim() === "") complain(source, at, `runs-on of ${what} has an empty label`);
		templateOf(source, node, { at, what: `runs-on of ${what}`, place: "job" });
		return text;
	});
}

function checkIds(source: Source, steps: Step[], nodes: (Node | null)[], what: string): void {
	const seen = new Set<string>();
	for (const [index, { id }] of steps.entries()) {
		if (id === null) continue;
		if (seen.has(id.toLowerCase())) complain(source, placeOf(nodes[index] ?? null), `two steps of ${what} have the id ${id}`);
		seen.add(id.toLowerCase());
	}
}

function readSteps(source: Source, field: Field, job: Job, what: string): Step[] {
	if (!isSeq(field.value) || field.value.items.length === 0) {
		complain(source, field.at, `steps of ${what} must be a list with at least one step`);
		return [];
	}
	const nodes = field.value.items.map((item) => followed(source, item));
	const steps = nodes.map((node, index) => readStep(source, node, index + 1, { name: job.key, at: field.at }));
	checkIds(source, steps, nodes, what);
	return steps;
}

/** A name, or a mapping with one; its `url` is for GitHub's pages. */
function readEnvironment(source: Source, field: Field, what: string): string | null {
	const spot = { at: field.at, what: `environment of ${what}`, place: "job" as const };
	if (!isMap(field.value)) return templateOf(source, field.value, spot) || null;
	const fields = fieldsOf(source, field.value, field.at, spot.what);
	for (const { name, at } of fields)
		if (name !== "name" && name !== "url") complain(source, at, `unsupported key ${name} in the environment of ${what}`);
	const name = fields.find((it) => it.name === "name");
	if (!name) complain(source, field.at, `the environment of ${what} has no name`);
	return name ? templateOf(source, name.value, { ...spot, at: name.at }) || null : null;
}

const SETTERS: Record<string, Setter> = {
	name: (job, source, field, what) => {
		job.name = templateOf(source, field.value, { at: field.at, what: `name of ${what}`, place: "job" }) || null;
	},
	needs: (job, source, field, what) => {
		job.needs = isEmpty(field.value) ? [] : [...new Set(readList(source, field, `needs of ${what}`).map(({ text }) => text))];
	},
	"runs-on": (job, source, field, what) => {
		job.runsOn = readRunsOn(source, field, what);
	},
	strategy: (job, source, field, what) => {
		job.matrix = readStrategy(source, field, what);
	},
	env: (job, source, field, what) => {
		job.env = readEnv(source, field, { what: `env of ${what}`, place: "job" });
	},
	outputs: (job, source, field, what) => {
		job.outputs = readEnv(source, field, { what: `outputs of ${what}`, place: "step" });
	},
	environment: (job, source, field, what) => {
		job.environment = readEnvironment(source, field, what);
	},
	permissions: (job, source, field, what) => {
		job.idToken = readPermissions(source, field, `permissions of ${what}`);
	},
	"continue-on-error": (job, source, field, what) => {
		job.continueOnError = readFlag(source, field, { what: `continue-on-error of ${what}`, place: "job" });
	},
	"timeout-minutes": (job, source, field, what) => {
		job.timeoutMinutes = readMinutes(source, field, { what: `timeout-minutes of ${what}`, place: "job" });
	},
	steps: (job, source, field, what) => {
		job.steps = readSteps(source, field, job, what);
	},
};

function checkNeeded(source: Source, fields: Field[], at: number, what: string): void {
	const has = (wanted: string) => fields.find(({ name }) => name === wanted);
	const uses = has("uses");
	if (uses) {
		const workflow = textOf(source, uses.value, { at: uses.at, what: `uses of ${what}` });
		complain(source, uses.at, `unsupported uses: ${workflow} (${what}): reusable workflows are not run here`);
		return;
	}
	for (const name of ["runs-on", "steps"]) if (!has(name)) complain(source, at, `${what} has no ${name}`);
}

/** Reads a job; `idToken` is what the workflow's own permissions give it. */
export function readJob(source: Source, { name, at, value }: Field, idToken: boolean): Job {
	const what = `job ${name}`;
	const job = emptyJob(name, source.lines.linePos(at).line, idToken);
	if (!NAME.test(name)) complain(source, at, `the name of ${what} must begin with a letter or _ and hold only letters, digits, - and _`);
	const fields = fieldsOf(source, value, at, what);
	if (isMap(value)) checkNeeded(source, fields, at, what);
	for (const field of fields) {
		const set = Object.hasOwn(SETTERS, field.name) ? SETTERS[field.name] : undefined;
		if (set) set(job, source, field, what);
		else if (field.name !== "uses") complain(source, field.at, `unsupported key ${field.name} in ${what}`);
	}
	return job;
}
