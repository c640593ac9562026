// One step of a job. Pure.
import { isMap, type Node } from "yaml";
import { complain, type Field, fieldsOf, isEmpty, placeOf, type Source } from "./document.ts";
import type { Step } from "./model.ts";
import { readEnv, readFlag, readMinutes } from "./read-values.ts";
import { templateOf, textOf } from "./template.ts";

/** Names of jobs and ids of steps. */
export const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;

const emptyStep = (line: number): Step => ({
	line,
	id: null,
	name: null,
	run: "",
	env: {},
	workingDirectory: null,
	continueOnError: false,
	timeoutMinutes: null,
});

function readId(source: Source, { value, at }: Field, what: string): string | null {
	const id = textOf(source, value, { at, what: `id of ${what}` });
	if (id !== null && !NAME.test(id))
		complain(source, at, `id of ${what} must begin with a letter or _ and hold only letters, digits, - and _`);
	return id;
}

function readShell(source: Source, { value, at }: Field, what: string): "bash" | undefined {
	const shell = textOf(source, value, { at, what: `shell of ${what}` });
	if (shell === "bash") return "bash";
	if (shell !== null) complain(source, at, `unsupported shell '${shell}' of ${what}: only bash`);
	return undefined;
}

type Setter = (step: Step, source: Source, field: Field, what: string) => void;

const template = (key: "name" | "run" | "workingDirectory"): Setter => {
	return (step, source, field, what) => {
		const text = templateOf(source, field.value, { at: field.at, what: `${field.name} of ${what}`, place: "step" });
		if (text !== null) step[key] = text;
	};
};

const SETTERS: Record<string, Setter> = {
	name: template("name"),
	run: template("run"),
	"working-directory": template("workingDirectory"),
	id: (step, source, field, what) => {
		step.id = readId(source, field, what);
	},
	shell: (step, source, field, what) => {
		const shell = readShell(source, field, what);
		if (shell) step.shell = shell;
	},
	env: (step, source, field, what) => {
		step.env = readEnv(source, field, { what: `env of ${what}`, place: "step" });
	},
	"continue-on-error": (step, source, field, what) => {
		step.continueOnError = readFlag(source, field, { what: `continue-on-error of ${what}`, place: "step" });
	},
	"timeout-minutes": (step, source, field, what) => {
		step.timeoutMinutes = readMinutes(source, field, { what: `timeout-minutes of ${what}`, place: "step" });
	},
};

function refuseUses(source: Source, uses: Field, run: Field | undefined, what: string): void {
	const action = textOf(source, uses.value, { at: uses.at, what: `uses of ${what}` });
	if (run) complain(source, uses.at, `${what} has both run and uses; a step has one of them`);
	complain(source, uses.at, `unsupported uses: ${action} (${what}): actions are not run here, only run: steps are`);
}

/** Reads a step; `number` is its place in the job, from 1. */
export function readStep(source: Source, node: Node | null, number: number, job: { name: string; at: number }): Step {
	const what = `step ${number} of job ${job.name}`;
	const at = placeOf(node, job.at);
	const step = emptyStep(source.lines.linePos(at).line);
	const fields = fieldsOf(source, node, job.at, what);
	const [uses, run] = ["uses", "run"].map((wanted) => fields.find(({ name }) => name === wanted));
	if (uses) refuseUses(source, uses, run, what);
	else if (isMap(node) && !run) complain(source, at, `${what} has neither run nor uses`);
	if (run && isEmpty(run.value)) complain(source, run.at, `run of ${what} is empty`);
	for (const field of fields) {
		const set = Object.hasOwn(SETTERS, field.name) ? SETTERS[field.name] : undefined;
		if (set) set(step, source, field, what);
		else if (field.name !== "uses" && !(uses && field.name === "with"))
			complain(source, field.at, `unsupported key ${field.name} in ${what}`);
	}
	return step;
}
