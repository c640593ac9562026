// Runs one of the machine's own programs to its end. Touches processes.

/** A program that ended otherwise than it should, with its last words. */
export class CommandError extends Error {
	override name = "CommandError";
	constructor(command: readonly string[], status: string, said: string) {
		super(`${command.slice(0, 2).join(" ")}: ${status} ${said.trim().slice(-600)}`.trim());
	}
}

const TIMEOUT_MS = 20_000;

/** Throws CommandError. */
export async function run(command: readonly string[]): Promise<void> {
	const child = start(command);
	const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
	if (code !== 0) throw new CommandError(command, String(child.signalCode ?? `exit ${code}`), `${out}${err}`);
}

function start(command: readonly string[]) {
	try {
		return Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "pipe", timeout: TIMEOUT_MS });
	} catch (error) {
		throw new CommandError(command, "cannot be started", error instanceof Error ? error.message : String(error));
	}
}
