// Checks the text of a mayfly.yml: what egress/mayfly-file.ts says of it, each problem with its line. Pure.
import * as v from "valibot";
import { type Document, parseDocument } from "yaml";
import { type ResolvedFile, resolveFile } from "../../contract/config.ts";
import type { ConfigProblem } from "../../contract/config-checks.ts";
import { MayflyYml } from "../../contract/mayfly-yml.ts";
import { readMayflyFile } from "../../egress/mayfly-file.ts";
import { linePlace, linesOf } from "../../local/workflow/document.ts";
import { presetProblems } from "./check-presets.ts";
import { offsetOfPath } from "./config-place.ts";
import { type LintProblem, plainly } from "./problem.ts";

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
		const message = isLine || problem.path === "" ? plainly(problem.reason) : `${problem.path}: ${problem.reason}`;
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

/** What is wrong with the presets of a file, also where its parts contradict each other: each that nothing else is said of. */
export function checkPresets(file: string, text: string): LintProblem[] {
	const read = readMayflyFile(text);
	if (read.ok) return problemsAt(file, text, presetProblems(resolveFile(read.value)));
	const shape = shapeOf(text, read.problems);
	if (shape === null) return [];
	const isTold = (path: string) => read.problems.some((told) => `${told.path}.`.startsWith(`${path}.`));
	const sound = Object.entries(shape.presets).filter(
		([id, { tier, image }]) => ![`presets.${id}`, `tiers.${tier}`, `images.${image}`].some(isTold),
	);
	const problems = presetProblems(shape).filter(({ path }) => sound.some(([id]) => path === `presets.${id}`));
	return problemsAt(file, text, problems);
}

/** The file, if each of its parts is right in itself. */
function shapeOf(text: string, problems: readonly ConfigProblem[]): ResolvedFile | null {
	if (problems.some(({ path }) => /^line \d+$/.test(path))) return null;
	const read = v.safeParse(MayflyYml, parseDocument(text, { logLevel: "error" }).toJS());
	return read.success ? resolveFile(read.output) : null;
}
