// `bun run mayfly <command>`: what an operator or a repository's author runs by hand or in CI. Hands over to the command that is named.
import { deployRole } from "./deploy-role/command.ts";
import { egress } from "./egress/command.ts";
import { lint } from "./lint/command.ts";
import type { Terminal } from "./terminal.ts";

const WRONG_USAGE = 2;

interface Command {
	/** One line of the help. */
	says: string;
	/** Gives the exit status. */
	run: (argv: string[], terminal: Terminal) => Promise<number>;
}

const COMMANDS: Record<string, Command> = {
	lint: { says: "checks a mayfly.yml, and the workflows of a repository against it", run: lint },
	"deploy-role": { says: "checks that a role for deploy jobs is one repository's, in one environment or on one branch", run: deployRole },
	egress: { says: "lists for mayfly.yml: what the egress gateways saw, and which registries clients ask", run: egress },
};

const HELP = `Mayfly: one GitHub Actions job, one fresh EC2 machine in your own AWS account, then gone.

usage: bun run mayfly <command> [arguments]

${Object.entries(COMMANDS)
	.map(([name, { says }]) => `  ${name.padEnd(12)} ${says}`)
	.join("\n")}

  --help       this text; behind a command, that command's own

examples:
  bun run mayfly lint ../shop
  bun run mayfly egress propose proxy.log
  bun run mayfly egress registries npm pip
  bun run mayfly deploy-role cloudformation/deploy-role.yaml
  bun run mayfly lint --help
`;

async function main([name, ...argv]: string[], terminal: Terminal): Promise<number> {
	if (name === undefined || name === "--help" || name === "-h") {
		terminal.out(HELP);
		return 0;
	}
	const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
	if (command) return command.run(argv, terminal);
	terminal.err(`there is no command ${JSON.stringify(name)}: there is ${Object.keys(COMMANDS).join(", ")}\n\n${HELP}`);
	return WRONG_USAGE;
}

// A reader that has gone, such as `head`, is no trouble of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
	if (error.code !== "EPIPE") throw error;
});
process.exitCode = await main(process.argv.slice(2), {
	out: (text) => void process.stdout.write(text),
	err: (text) => void process.stderr.write(text),
	colour: process.stdout.isTTY === true && process.env.TERM !== "dumb" && !process.env.NO_COLOR,
	env: process.env,
	folder: process.cwd(),
});
