// What this machine's archive has of packages: apt's candidates. Touches apt.
import { ImageProblem } from "../problem.ts";

/** Versions by name from the output of `apt-cache policy`. Pure. */
export function readPolicy(text: string): Record<string, string> {
	const found: Record<string, string> = {};
	let name = "";
	for (const line of text.split("\n")) {
		const head = /^(\S+):$/.exec(line);
		if (head) name = head[1] ?? "";
		const candidate = /^ {2}Candidate: (\S+)$/.exec(line)?.[1];
		if (candidate !== undefined && candidate !== "(none)") found[name] = candidate;
	}
	return found;
}

/** Asks apt, whose lists must be fresh and of the base that is compared. */
export async function candidatesOf(names: string[]): Promise<Record<string, string>> {
	if (Bun.which("apt-cache") === null) throw new ImageProblem("packages", "apt-cache is not here: compare on a machine of the base");
	const child = Bun.spawn(["apt-cache", "policy", ...names], {
		env: { PATH: process.env.PATH ?? "", LC_ALL: "C" },
		stdout: "pipe",
		stderr: "pipe",
	});
	const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
	if (code !== 0) throw new ImageProblem("packages", `apt-cache ended with ${code}: ${err.trim()}`);
	const found = readPolicy(out);
	const missing = names.filter((name) => found[name] === undefined);
	if (missing.length > 0)
		throw new ImageProblem("packages", `apt knows no ${missing.join(", ")}: run apt-get update, on a machine of the base`);
	return found;
}

/** The base that this machine is of, by its /etc/os-release. Pure. */
export function baseOf(osRelease: string): { name: string; suite: string } {
	const of = (key: string) => new RegExp(`^${key}="?([^"\n]*)"?$`, "m").exec(osRelease)?.[1] ?? "";
	return { name: of("ID"), suite: of("VERSION_CODENAME") };
}
