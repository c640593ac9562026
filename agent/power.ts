// Turns the machine off. A power-off that does not work is tried again; then the agent's own exit code has systemd do it (FailureAction).
import type { Log } from "./log.ts";

const ATTEMPTS = 3;
const PAUSE_MS = 1000;
const TIMEOUT_MS = 15_000;

async function tryOnce(command: string[]): Promise<string | null> {
	try {
		const child = Bun.spawn(command, { cwd: "/", stdio: ["ignore", "ignore", "ignore"], timeout: TIMEOUT_MS, killSignal: "SIGKILL" });
		await child.exited;
		return child.exitCode === 0 ? null : `it ended with ${child.exitCode ?? child.signalCode}`;
	} catch (error) {
		return String(error);
	}
}

/** True once the command was carried out; false if it never was. */
export async function powerOff(command: string[], log: Log): Promise<boolean> {
	for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
		const problem = await tryOnce(command);
		if (problem === null) return true;
		log.error({ command: command[0], attempt, problem }, "the machine cannot be turned off");
		if (attempt < ATTEMPTS) await Bun.sleep(PAUSE_MS);
	}
	return false;
}
