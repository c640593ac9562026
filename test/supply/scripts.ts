// Runs a script of a release or of an image with small programs in place of what it calls, and reads what they were asked.
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Workbench {
	folder: string;
	/** Puts a program of bash in front of the PATH; each call of it is noted. */
	program(name: string, body: string): Promise<void>;
	run(command: string[], env?: Record<string, string>): Promise<{ code: number; out: string }>;
	/** Calls of the programs, in order. */
	calls(): Promise<string[]>;
	end(): Promise<void>;
}

export async function openWorkbench(): Promise<Workbench> {
	const folder = await mkdtemp(join(tmpdir(), "mayfly-scripts-"));
	const [bin, notes] = [join(folder, "bin"), join(folder, "calls")];
	await mkdir(bin);
	await writeFile(notes, "");
	return {
		folder,
		async program(name, body) {
			await writeFile(join(bin, name), `#!/bin/bash\necho "${name} $*" >>${notes}\n${body}\n`);
			await chmod(join(bin, name), 0o755);
		},
		async run(command, env = {}) {
			const child = Bun.spawn(command, {
				...{ cwd: folder, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
				env: { PATH: `${bin}:${process.env.PATH}`, HOME: folder, LC_ALL: "C.UTF-8", ...env },
			});
			const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
			return { code, out: `${out}${err}` };
		},
		calls: async () => (await readFile(notes, "utf8")).split("\n").filter(Boolean),
		end: () => rm(folder, { recursive: true, force: true }),
	};
}
