// What lint says, for people and for programs. Pure.
import { type Counts, countsOf, type LintProblem, type Severity } from "./problem.ts";

export interface LintReport {
	/** The mayfly.yml; null when there is none. */
	config: string | null;
	/** Whether labels were checked against it; otherwise only their form is. */
	checked: boolean;
	/** Where a mayfly.yml was looked for. */
	places: string[];
	workflows: number;
	jobs: number;
	/** Sorted. */
	problems: LintProblem[];
}

const COLOURS: Record<Severity, number> = { error: 31, warning: 33, note: 36 };

/** Names and labels are a stranger's: what a terminal would obey is written out. */
function printable(text: string): string {
	return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (sign) => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
}

const counted = (count: number, word: string) => `${count} ${word}${count === 1 ? "" : "s"}`;

/** One line. */
export function problemLine({ file, line, column, severity, rule, message }: LintProblem, colour: boolean): string {
	const word = colour ? `\u001b[${COLOURS[severity]}m${severity}\u001b[0m` : severity;
	return `${printable(file)}:${line}:${column}: ${word}: ${printable(message)} [${rule}]`;
}

function aboutConfig({ config, checked, places }: LintReport): string[] {
	if (config === null)
		return [
			`there is no ${places.map(printable).join(" and no ")}: of labels only the form is checked, and tiers are not; name a mayfly.yml with --config`,
		];
	return checked ? [] : [`${printable(config)} has problems: of labels only the form is checked, and tiers are not, until it is mended`];
}

/** The lines that people read. */
export function reportLines(report: LintReport, colour: boolean): string[] {
	const { errors, warnings, notes } = countsOf(report.problems);
	const found = [counted(errors, "error"), counted(warnings, "warning"), ...(notes > 0 ? [counted(notes, "note")] : [])].join(", ");
	const looked = `${counted(report.workflows, "workflow")} with ${counted(report.jobs, "job")}`;
	return [
		...report.problems.map((problem) => problemLine(problem, colour)),
		...aboutConfig(report),
		`${found} in ${looked}${report.config === null ? "" : ` and ${printable(report.config)}`}`,
	];
}

/** The object of `--json`. */
export function reportJson({ config, checked, workflows, jobs, problems }: LintReport, ok: boolean) {
	const counts: Counts = countsOf(problems);
	return {
		...{ ok, config, labelsChecked: checked, workflows, jobs, counts },
		problems: problems.filter(({ severity }) => severity !== "note"),
		notes: problems.filter(({ severity }) => severity === "note"),
	};
}
