// The command line of `bun run mayfly lint`, read into a plain value. Pure.
import { parseArgs } from "node:util";
import { RULES } from "./problem.ts";

export interface LintArguments {
	/** The repository's folder. */
	path: string;
	/** The mayfly.yml; null looks for it in the repository. */
	config: string | null;
	json: boolean;
	/** Warnings count as errors do. */
	strict: boolean;
}

export const HELP = `Checks a mayfly.yml, and every workflow of a repository against it: would Mayfly run these jobs, and safely?

usage: bun run mayfly lint <path> [--config FILE] [--json] [--strict]

  <path>          the folder of a repository; its workflows are those in .github/workflows
  --config FILE   the mayfly.yml (default: <path>/mayfly.yml, then <path>/.github/mayfly.yml); without one, only the form of labels is checked
  --json          print one JSON object and nothing else
  --strict        a warning fails as an error does
  --help          this text

examples:
  bun run mayfly lint .
  bun run mayfly lint ../shop --config mayfly.yml --strict
  bun run mayfly lint ../shop --json | jq -r '.problems[].rule'

rules:
${Object.entries(RULES)
	.map(([rule, says]) => `  ${rule.padEnd(19)} ${says}`)
	.join("\n")}

exit status: 0 no errors; 1 errors (with --strict also for warnings); 2 the command line is wrong, or there is nothing to check that can be read
`;

export type LintArgumentsReading = { ok: true; value: LintArguments | "help" } | { ok: false; problems: string[] };

/** Reads the arguments; every problem is named at once. */
export function readArguments(argv: string[]): LintArgumentsReading {
	try {
		const { values, positionals } = parseArgs({
			args: argv,
			allowPositionals: true,
			options: {
				config: { type: "string" },
				json: { type: "boolean", default: false },
				strict: { type: "boolean", default: false },
				help: { type: "boolean", short: "h", default: false },
			},
		});
		if (values.help) return { ok: true, value: "help" };
		const problems = [
			...(positionals.length === 1 ? [] : [`one folder is checked at a time, not ${positionals.length}`]),
			...[...positionals, ...(values.config === undefined ? [] : [values.config])]
				.filter((path) => path === "")
				.map(() => "a path is empty"),
		];
		if (problems.length > 0) return { ok: false, problems };
		return { ok: true, value: { path: positionals[0] ?? "", config: values.config ?? null, json: values.json, strict: values.strict } };
	} catch (error) {
		return { ok: false, problems: [error instanceof Error ? error.message : String(error)] };
	}
}
