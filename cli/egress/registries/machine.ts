// What is asked of the machine that a list is made on: programs in its PATH, and files. Touches processes and files; decides nothing.
import { readdir, readFile } from "node:fs/promises";

export interface Ran {
	code: number;
	out: string;
}
export interface Machine {
	/** Null: there is no such program. */
	run: (program: string, ...args: string[]) => Promise<Ran | null>;
	/** Null: there is no such file, or it cannot be read. */
	read: (path: string) => Promise<string | null>;
	list: (path: string) => Promise<string[]>;
	env: Record<string, string | undefined>;
	home: string;
	folder: string;
}

/** A client that waits for a daemon or a password is not waited for. */
const LONGEST_MS = 20_000;

export function thisMachine(env: Record<string, string | undefined>, folder: string): Machine {
	return {
		async run(program, ...args) {
			const path = Bun.which(program, { PATH: env.PATH ?? "", cwd: folder });
			if (path === null) return null;
			const child = Bun.spawn([path, ...args], {
				...{ cwd: folder, env, stdin: "ignore", stdout: "pipe", stderr: "ignore", timeout: LONGEST_MS, killSignal: "SIGKILL" },
			});
			const [out, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
			return { code, out };
		},
		read: (path) => readFile(path, "utf8").catch(() => null),
		list: (path) => readdir(path).catch(() => []),
		...{ env, home: env.HOME ?? "/", folder },
	};
}
