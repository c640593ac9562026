// zizmor, which reads workflows for what an attacker would (PyPI), installed once into .cache.
import { existsSync } from "node:fs";
import { join } from "node:path";

const VERSION = "1.32.0";
const FOLDER = join(import.meta.dir, "..", "..", ".cache", `zizmor-${VERSION}`);

async function run(...command: string[]): Promise<{ code: number; out: string }> {
	const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
	const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
	return { code, out: `${out}${err}` };
}

/** What it finds in a folder or file, as it ends: 0 only where it found nothing. It asks nothing of the internet. */
export async function zizmor(path: string): Promise<{ code: number; out: string }> {
	const program = join(FOLDER, "bin", "zizmor");
	if (!existsSync(program)) {
		for (const command of [
			["python3", "-m", "venv", "--clear", FOLDER],
			[join(FOLDER, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", `zizmor==${VERSION}`],
		]) {
			const { code, out } = await run(...command);
			if (code !== 0) throw new Error(`${command.join(" ")}: ${out.trim()}`);
		}
	}
	return run(program, "--offline", "--no-progress", "--color=never", path);
}
