// `bun run mayfly egress`: hosts for lists, from what the gateways saw and from what clients say. Touches files; decides nothing.
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { isGatewaysLine, proposalYaml, propose } from "../../egress/propose.ts";
import type { Terminal } from "../terminal.ts";
import { CLIENT_NAMES, registries } from "./registries/command.ts";

const HELP = `Hosts for the egress lists of mayfly.yml: those that the gateways saw, and those that package managers are configured to ask.

usage: bun run mayfly egress propose <file>... [--json]
       bun run mayfly egress registries [client...] [--tier NAME] [--json]

  propose    hosts that jobs asked for and no list admits, by tier, as lines for mayfly.yml. Reads the gateways' log: exported
             files, or - for stdin. A stack in the mode "observe" lets them through and logs them; "enforce" cuts them and logs them.
  registries hosts that the package managers of this machine ask, from their own configuration, as lines for mayfly.yml: a company's
             registry is often a mirror, so no list of Mayfly's has one. Clients: ${CLIENT_NAMES.join(", ")}; all, if none is named
  --tier     the tier that the lines are for (default build)
  --json     the same as JSON

examples:
  aws logs tail /mayfly/prod/proxy --since 7d | bun run mayfly egress propose -
  bun run mayfly egress propose proxy-*.log
  bun run mayfly egress registries
  bun run mayfly egress registries npm pip --tier build

exit status: 0 read, whatever was found; 1 a client that was named is not installed; 2 not read
`;
const NOT_READ = 2;

function refuse({ err }: Terminal, reason: string): number {
	err(`${reason}\nsee bun run mayfly egress --help\n`);
	return NOT_READ;
}

async function textOf(file: string): Promise<string> {
	const text = file === "-" ? await Bun.stdin.text() : await readFile(file, "utf8");
	if (text.trim() !== "" && !text.split("\n").some(isGatewaysLine)) throw new Error("has no line of the gateways' log");
	return text;
}

/** Every reason names its file, which the file system's own do not all. */
async function textsOf(files: readonly string[]): Promise<string[]> {
	const read = async (file: string) =>
		await textOf(file).catch((error: unknown) => {
			throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
		});
	return await Promise.all(files.map(read));
}

/** Runs the command and gives the exit status. */
export async function egress(argv: string[], terminal: Terminal): Promise<number> {
	let asked: ReturnType<typeof read>;
	try {
		if (argv[0] === "registries" && !argv.includes("--help") && !argv.includes("-h")) return await registries(argv.slice(1), terminal);
		asked = read(argv);
	} catch (error) {
		return refuse(terminal, error instanceof Error ? error.message : String(error));
	}
	if (asked.values.help) {
		terminal.out(HELP);
		return 0;
	}
	const [action, ...files] = asked.positionals;
	if (action !== "propose") {
		const there = "there is propose and registries";
		return refuse(terminal, action === undefined ? `say what to do: ${there}` : `there is no ${JSON.stringify(action)}: ${there}`);
	}
	if (files.length === 0) return refuse(terminal, "propose reads at least one file, or - for stdin");
	try {
		const texts = await textsOf(files);
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
