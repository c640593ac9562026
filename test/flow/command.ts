// Runs the local command as a user does: its own process, its output read whole.
import { join } from "node:path";

const root = join(import.meta.dir, "..", "..");

export interface Ended {
	status: number | null;
	stdout: string;
	stderr: string;
}

/** Starts `bun local/main.ts` with arguments, in a folder of the caller's. */
export function startLocal(args: string[], options: { cwd?: string; env?: Record<string, string> } = {}) {
	return Bun.spawn([process.execPath, join(root, "local", "main.ts"), ...args], {
		cwd: options.cwd ?? root,
		env: { ...process.env, NO_COLOR: "1", ...options.env },
		stdin: "ignore",
		stdout: "pipe",
		stderr: "pipe",
	});
}

export async function runLocal(args: string[], options: { cwd?: string; env?: Record<string, string> } = {}): Promise<Ended> {
	const child = startLocal(args, options);
	const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
	return { status: await child.exited, stdout, stderr };
}

/** Processes whose environment or command line names a text: what a run must not leave behind. */
export async function processesNaming(text: string): Promise<number[]> {
	const ids = (await Array.fromAsync(new Bun.Glob("[0-9]*").scan({ cwd: "/proc", onlyFiles: false }))).map(Number);
	const named = await Promise.all(
		ids.map(async (id) => {
			const said = await Promise.all(
				["environ", "cmdline"].map((name) =>
					Bun.file(`/proc/${id}/${name}`)
						.text()
						.catch(() => ""),
				),
			);
			return said.some((words) => words.includes(text));
		}),
	);
	return ids.filter((id, at) => named[at] && id !== process.pid);
}
