// The command line of `bun run local`, read into a plain value. Pure.
import { parseArgs } from "node:util";

export interface LocalArguments {
	/** Workflow file; null runs the example, or one small job when copies are asked for. */
	file: string | null;
	json: boolean;
	/** Copies of one job; null runs the workflow as it is written. */
	jobs: number | null;
	/** Instances alive at once: the account's quota. */
	machines: number;
	/** Keep the folder with every part's log, and say where it is. */
	keep: boolean;
	help: boolean;
}

export const HELP = `Runs a GitHub Actions workflow through the whole of Mayfly on this machine: the real relay in workerd, the real poller
in Node 24, the real compiled agent on every machine; GitHub, EC2, S3, IMDS and the runner are stand-ins.

usage: bun run local [workflow.yml] [--json] [--jobs N] [--machines N] [--keep]

  workflow.yml    what to run (default: local/example.yml)
  --json          print one JSON object at the end and nothing else
  --jobs N        N copies of the workflow's only job (default workflow then: one small job), 1 to 1000
  --machines N    instances alive at once, 1 to 256 (default 16); the rest wait, as in an account at its quota
  --keep          keep the folder with the logs of every part and say where it is
  --help          this text

examples:
  bun run local
  bun run local .github/workflows/build.yml
  bun run local --jobs 100 --json | jq .instances

exit status: 0 every job ran and none failed that was not allowed to; 1 otherwise; 2 the workflow file or the command line is wrong
`;

function wholeNumber(name: string, text: string | undefined, least: number, most: number, problems: string[]): number | null {
	if (text === undefined) return null;
	const value = Number(text);
	if (/^\d+$/.test(text) && value >= least && value <= most) return value;
	problems.push(`--${name} takes a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`);
	return null;
}

/** Reads the arguments; every problem is named at once. */
export function readArguments(argv: string[]): { ok: true; value: LocalArguments } | { ok: false; problems: string[] } {
	const problems: string[] = [];
	try {
		const { values, positionals } = parseArgs({
			args: argv,
			allowPositionals: true,
			options: {
				json: { type: "boolean", default: false },
				jobs: { type: "string" },
				machines: { type: "string" },
				keep: { type: "boolean", default: false },
				help: { type: "boolean", short: "h", default: false },
			},
		});
		if (positionals.length > 1) problems.push(`one workflow file at a time, not ${positionals.length}`);
		const jobs = wholeNumber("jobs", values.jobs, 1, 1000, problems);
		const machines = wholeNumber("machines", values.machines, 1, 256, problems) ?? 16;
		if (problems.length > 0) return { ok: false, problems };
		return { ok: true, value: { file: positionals[0] ?? null, json: values.json, jobs, machines, keep: values.keep, help: values.help } };
	} catch (error) {
		return { ok: false, problems: [error instanceof Error ? error.message : String(error)] };
	}
}
