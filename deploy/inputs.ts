// What the operator hands in, and what this checkout has for it: read and checked before anything is asked of AWS. Touches files.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { checkConfig } from "../cli/lint/check-config.ts";
import { readText } from "../cli/lint/files.ts";
import { problemLine } from "../cli/lint/print.ts";
import type { ResolvedFile } from "../contract/config.ts";
import type { Group } from "../egress/allowlist.ts";
import knownGroups from "../egress/groups.json";
import type { DeployArguments } from "./arguments.ts";
import { ROOT } from "./package.ts";
import { decideParameters, type Given } from "./parameters.ts";
import { readParametersFile } from "./parameters-file.ts";
import { readTemplate, type Template } from "./template.ts";

export interface Inputs {
	/** mayfly.yml with every default. */
	file: ResolvedFile;
	groups: Record<string, Group>;
	given: Given;
	/** Texts by their name in cloudformation/. */
	templates: Record<string, string>;
	root: Template;
}
export type InputsReading = { ok: true; inputs: Inputs } | { ok: false; problems: string[] };

/** Reads everything and names every problem at once. */
export async function readInputs(args: DeployArguments, checkout: string, colour: boolean): Promise<InputsReading> {
	const [config, parameters, templates] = await Promise.all([
		readText(args.config),
		args.parameters === null ? null : readText(args.parameters),
		readTemplates(join(checkout, "cloudformation")),
	]);
	const groups: Record<string, Group> = knownGroups;
	const root = readTemplate(ROOT, templates[ROOT] ?? "");
	const file = config.ok
		? readOperatorFile(args.config, config.text, colour)
		: { resolved: null, problems: [`--config ${args.config} ${config.reason}`] };
	const values = parameters === null ? { ok: true as const, values: {} } : parameters.ok ? readParametersFile(parameters.text) : parameters;
	const given = { set: args.set, file: values.ok ? values.values : {} };
	const problems = [
		...file.problems,
		...(values.ok ? [] : [`--parameters ${args.parameters} ${values.reason}`]),
		...decideParameters(root, given, null).problems.filter((problem) => !problem.includes("(rule ")),
	];
	if (problems.length > 0 || file.resolved === null) return { ok: false, problems };
	return { ok: true, inputs: { file: file.resolved, groups, given, templates, root } };
}

async function readTemplates(folder: string): Promise<Record<string, string>> {
	const names = (await readdir(folder)).filter((name) => name.endsWith(".yaml"));
	return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), "utf8")])));
}

interface OperatorFile {
	/** Null: it has problems. */
	resolved: ResolvedFile | null;
	problems: string[];
}

function readOperatorFile(name: string, text: string, colour: boolean): OperatorFile {
	const { config, problems } = checkConfig(name, text);
	return { resolved: config, problems: problems.map((problem) => problemLine(problem, colour)) };
}
