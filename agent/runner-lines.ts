// The Listener's lines on stdout and stderr, understood (FACTS 1.4). A job's name is anybody's text: patterns are anchored. Pure.
import type { JobResult } from "./exit.ts";

export type RunnerLine =
	| { kind: "connected" }
	| { kind: "version"; version: string }
	| { kind: "listening" }
	| { kind: "started"; name: string }
	| { kind: "completed"; name: string; result: JobResult }
	| { kind: "deprecated"; version: string }
	| { kind: "deleted" }
	| { kind: "conflict" }
	| { kind: "disconnected" }
	| { kind: "reconnected" }
	| { kind: "updating" };

const AT = String.raw`\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}Z: `;
const RESULTS = "Succeeded|SucceededWithIssues|Failed|Canceled|Skipped|Abandoned";
/** `s`: a name may hold characters that JavaScript takes for the end of a line. */
const line = (pattern: string) => new RegExp(`^${pattern}$`, "s");

const LINES: [pattern: RegExp, read: (first: string, second: string) => RunnerLine][] = [
	[line("√ Connected to GitHub"), () => ({ kind: "connected" })],
	[line("Current runner version: '([^']*)'"), (version) => ({ kind: "version", version })],
	[line(`${AT}Listening for Jobs`), () => ({ kind: "listening" })],
	[line(`${AT}Running job: (.*)`), (name) => ({ kind: "started", name })],
	[line(`${AT}Job (.*) completed with result: (${RESULTS})`), (name, result) => ({ kind: "completed", name, result: result as JobResult })],
	[
		line(String.raw`(?:An error occurr?ed: )?Runner version v(\S+) is deprecated and cannot receive messages\..*`),
		(version) => ({ kind: "deprecated", version }),
	],
	[line("Failed to create a session\\. The runner registration has been deleted from the server, .*"), () => ({ kind: "deleted" })],
	[line("The runner no longer exists on the server\\..*"), () => ({ kind: "deleted" })],
	[line("A session for this runner already exists\\."), () => ({ kind: "conflict" })],
	[line(`(?:${AT})?Runner connect error: .*`), () => ({ kind: "disconnected" })],
	[line(`(?:${AT})?Runner reconnected\\.`), () => ({ kind: "reconnected" })],
	[line("Runner update in progress, do not shutdown runner\\."), () => ({ kind: "updating" })],
];

/** Reads one line, without its end; null for one that means nothing to us. */
export function readRunnerLine(text: string): RunnerLine | null {
	for (const [pattern, read] of LINES) {
		const match = pattern.exec(text);
		if (match) return read(match[1] ?? "", match[2] ?? "");
	}
	return null;
}
