// `bun run mayfly lint`: reads a repository's workflows and a mayfly.yml, and says what is wrong with them. Touches files; decides nothing.
import { basename } from "node:path";
import type { Terminal } from "../terminal.ts";
import { HELP, type LintArguments, readArguments } from "./arguments.ts";
import { type ConfigCheck, checkConfig, checkPresets } from "./check-config.ts";
import { checkWorkflow, type WorkflowCheck } from "./check-workflow.ts";
import { configPlaces, findWorkflows, isThere, readText, type TextReading } from "./files.ts";
import { type LintReport, reportJson, reportLines } from "./print.ts";
import { countsOf, type LintProblem, sorted } from "./problem.ts";

const FAILED = 1;
const NOT_CHECKED = 2;

/** Runs lint and gives the exit status. */
export async function lint(argv: string[], terminal: Terminal): Promise<number> {
	const read = readArguments(argv);
	if (!read.ok) return refuse([...read.problems, "see bun run mayfly lint --help"], argv.includes("--json"), terminal);
	if (read.value === "help") {
		terminal.out(HELP);
		return 0;
	}
	const { json, strict } = read.value;
	const report = await reportOn(read.value);
	if (!report.ok) return refuse([report.reason], json, terminal);
	const { errors, warnings } = countsOf(report.value.problems);
	const ok = errors === 0 && !(strict && warnings > 0);
	if (json) terminal.out(`${JSON.stringify(reportJson(report.value, ok))}\n`);
	else terminal.out(`${reportLines(report.value, terminal.colour).join("\n")}\n`);
	return ok ? 0 : FAILED;
}

function refuse(reasons: string[], json: boolean, { out, err }: Terminal): number {
	err(`${reasons.join("\n")}\n`);
	if (json) out(`${JSON.stringify({ ok: false, reasons })}\n`);
	return NOT_CHECKED;
}

type Reported = { ok: true; value: LintReport } | { ok: false; reason: string };

async function reportOn({ path, config: named }: LintArguments): Promise<Reported> {
	if (!(await isThere(path, "folder"))) return { ok: false, reason: `${path} is not a folder that can be read` };
	const places = named === null ? configPlaces(path) : [named];
	const there = await Promise.all(places.map((place) => isThere(place, "file")));
	const config = places.find((_, at) => there[at]) ?? null;
	if (named !== null && config === null) return { ok: false, reason: `${named} is not there or cannot be read` };
	const files = await findWorkflows(path).catch((error: NodeJS.ErrnoException) => error);
	if (!Array.isArray(files)) return { ok: false, reason: `the workflows of ${path} cannot be listed: ${files.code ?? files.message}` };
	if (config === null && files.length === 0)
		return { ok: false, reason: `${path} has nothing to check: no .github/workflows/*.yml, no ${places.join(" and no ")}` };
	const read = config === null ? null : await readText(config, named === null ? path : null);
	if (named !== null && read?.ok === false) return { ok: false, reason: `${named} ${read.reason}` };
	const checked = config === null || read === null ? null : checkConfigText(config, read);
	const workflows = await Promise.all(files.map((file) => checkWorkflowFile(file, path, checked?.config ?? null)));
	return {
		ok: true,
		value: {
			...{ config, checked: checked !== null && checked.config !== null, places, workflows: files.length },
			jobs: workflows.reduce((sum, { jobs }) => sum + jobs, 0),
			problems: sorted([...(checked?.problems ?? []), ...workflows.flatMap(({ problems }) => problems)]),
		},
	};
}

const unreadable = (file: string, reason: string): LintProblem => ({
	...{ file, line: 1, column: 1, severity: "error", rule: "file" },
	message: `the file ${reason}`,
});

function checkConfigText(file: string, read: TextReading): ConfigCheck {
	if (!read.ok) return { config: null, problems: [unreadable(file, read.reason)] };
	const { config, problems } = checkConfig(file, read.text);
	return { config, problems: [...problems, ...checkPresets(file, read.text)] };
}

async function checkWorkflowFile(file: string, repository: string, config: ConfigCheck["config"]): Promise<WorkflowCheck> {
	const read = await readText(file, repository);
	if (!read.ok) return { jobs: 0, problems: [unreadable(file, read.reason)] };
	return checkWorkflow(file, `.github/workflows/${basename(file)}`, read.text, config);
}
