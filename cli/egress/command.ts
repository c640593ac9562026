// `bun run mayfly egress`: what the gateways saw, as a list. Touches files; decides nothing.
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { proposalYaml, propose } from "../../egress/propose.ts";
import type { Terminal } from "../terminal.ts";

const HELP = `What the egress gateways saw.

usage: bun run mayfly egress propose <file>... [--json]

  propose    hosts that jobs asked for and no list admits, by tier, as lines for mayfly.yml. Reads the gateways' log: exported
             files, or - for stdin. A stack in the mode "observe" lets them through and logs them; "enforce" cuts them and logs them.
  --json     the same as JSON

examples:
  aws logs tail /mayfly/prod/proxy --since 7d | bun run mayfly egress propose -
  bun run mayfly egress propose proxy-*.log

exit status: 0 read, whatever was found; 2 not read
`;
const NOT_READ = 2;

function refuse({ err }: Terminal, reason: string): number {
	err(`${reason}\nsee bun run mayfly egress --help\n`);
	return NOT_READ;
}

async function textOf(file: string): Promise<string> {
	return file === "-" ? await Bun.stdin.text() : await readFile(file, "utf8");
}

/** Runs the command and gives the exit status. */
export async function egress(argv: string[], terminal: Terminal): Promise<number> {
	let asked: ReturnType<typeof read>;
	try {
		asked = read(argv);
	} catch (error) {
		return refuse(terminal, error instanceof Error ? error.message : String(error));
	}
	if (asked.values.help) {
		terminal.out(HELP);
		return 0;
	}
	const [action, ...files] = asked.positionals;
	if (action !== "propose")
		return refuse(terminal, action === undefined ? "say what to do: propose" : `there is no ${JSON.stringify(action)}: there is propose`);
	if (files.length === 0) return refuse(terminal, "propose reads at least one file, or - for stdin");
	try {
		const texts = await Promise.all(files.map(textOf));
		const proposal = propose(texts.flatMap((text) => text.split("\n")));
		terminal.out(asked.values.json ? `${JSON.stringify(proposal)}\n` : proposalYaml(proposal));
		return 0;
	} catch (error) {
		return refuse(terminal, error instanceof Error ? error.message : String(error));
	}
}

function read(argv: string[]) {
	return parseArgs({
		args: argv,
		allowPositionals: true,
		options: { json: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false } },
	});
}
