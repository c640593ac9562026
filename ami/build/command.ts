// Runs one program of a build to its end, in a process group of its own that an interruption ends. Touches processes.
import { appendFile } from "node:fs/promises";
import { ImageProblem } from "../problem.ts";

export interface Workshop {
	/** Everything of this build lies below it and goes with it. */
	folder: string;
	/** Where programs' output goes. */
	log: string;
	signal: AbortSignal;
}

export interface CommandOptions {
	env?: Record<string, string>;
	cwd?: string;
	stdin?: string;
	/** Whatever it says on stderr is a failure, whatever its status. */
	silent?: boolean;
}

/** Of a program that failed, this much of its last words is told. */
const TOLD_LINES = 6;
const END_MS = 2000;

/** Ends a whole group: asked first, since `unshare --kill-child` and debootstrap clean up after themselves. */
async function endGroup(pid: number, exited: Promise<unknown>): Promise<void> {
	for (const name of ["SIGTERM", "SIGKILL"] as const) {
		try {
			process.kill(-pid, name);
		} catch {
			return;
		}
		await Promise.race([exited, Bun.sleep(END_MS)]);
	}
}

/** Its output; throws an ImageProblem of the part if it fails or is not there. */
export async function run(part: string, command: string[], { log, signal }: Workshop, options: CommandOptions = {}): Promise<string> {
	signal.throwIfAborted();
	if (Bun.which(command[0] ?? "") === null)
		throw new ImageProblem(part, `the program ${command[0]} is not installed (packages: docs/image.md)`);
	const child = Bun.spawn(command, {
		...{ cwd: options.cwd ?? "/", detached: true, stdin: new Blob([options.stdin ?? ""]), stdout: "pipe", stderr: "pipe" },
		env: { PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C.UTF-8", ...options.env },
	});
	const abort = () => void endGroup(child.pid, child.exited);
	signal.addEventListener("abort", abort, { once: true });
	const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
	signal.removeEventListener("abort", abort);
	await appendFile(log, `== ${part}: ${command.join(" ")}\n${out}${err}`);
	signal.throwIfAborted();
	const failed = code !== 0 || (options.silent === true && err.trim() !== "");
	if (!failed) return out;
	const said = `${out}\n${err}`.trim().split("\n").slice(-TOLD_LINES).join("\n");
	throw new ImageProblem(part, `${command[0]} ended with ${child.signalCode ?? code}\n${said}`);
}
