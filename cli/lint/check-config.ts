// Checks the text of a mayfly.yml: what egress/mayfly-file.ts says of it, each problem with its line. Pure.
import { type Document, parseDocument } from "yaml";
import { type ResolvedFile, resolveFile } from "../../contract/config.ts";
import type { ConfigProblem } from "../../contract/config-checks.ts";
import { readMayflyFile } from "../../egress/mayfly-file.ts";
import { linePlace, linesOf } from "../../local/workflow/document.ts";
import { presetProblems } from "./check-presets.ts";
import { offsetOfPath } from "./config-place.ts";
import type { LintProblem } from "./problem.ts";

export interface ConfigCheck {
	/** Null when the file has problems: what it says cannot then be relied on. */
	config: ResolvedFile | null;
	problems: LintProblem[];
}

/** `file` is what problems call it. Never throws. */
export function checkConfig(file: string, text: string): ConfigCheck {
	const read = readMayflyFile(text);
	return read.ok ? { config: resolveFile(read.value), problems: [] } : { config: null, problems: problemsAt(file, text, read.problems) };
}

/** Problems of a file, each with its line. */
function problemsAt(file: string, text: string, problems: readonly ConfigProblem[]): LintProblem[] {
	const placeOf = placesIn(text);
	return problems.map((problem) => {
		const isLine = /^line \d+$/.test(problem.path);
		const message = isLine || problem.path === "" ? problem.reason : `${problem.path}: ${problem.reason}`;
		return { file, ...placeOf(problem), severity: "error", rule: "config", message };
	});
}

function placesIn(text: string): (problem: ConfigProblem) => { line: number; column: number } {
	const lines = linesOf(text);
	let document: Document | null = null;
	return ({ path, reason }) => {
		const [, line] = /^line (\d+)$/.exec(path) ?? [];
		if (line !== undefined) return { line: Number(line), column: 1 };
		document ??= parseDocument(text, { prettyErrors: false });
		return linePlace({ lines }, offsetOfPath(document, path, reason === "unknown key"));
	};
}

/** What is wrong with the presets of a file that is right in itself. */
export function checkPresets(file: string, text: string, config: ResolvedFile): LintProblem[] {
	return problemsAt(file, text, presetProblems(config));
}
