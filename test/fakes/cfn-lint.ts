// cfn-lint, CloudFormation's rules by other hands (PyPI), installed once into .cache.
import { existsSync } from "node:fs";
import { join } from "node:path";

const VERSION = "1.58.0";
const FOLDER = join(import.meta.dir, "..", "..", ".cache", `cfn-lint-${VERSION}`);
const COMMAND = join(FOLDER, "bin", "cfn-lint");

async function run(...command: string[]): Promise<void> {
	const child = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
	const problem = await new Response(child.stderr).text();
	if ((await child.exited) !== 0) throw new Error(`${command.join(" ")}: ${problem.trim()}`);
}

async function install(): Promise<void> {
	if (existsSync(COMMAND)) return;
	await run("python3", "-m", "venv", "--clear", FOLDER);
	await run(join(FOLDER, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", `cfn-lint==${VERSION}`);
}

const PROPERTIES = `import json, sys
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER as known
schema = lambda name: known.get_resource_schema(region="eu-west-1", resource_type=name).schema
print(json.dumps({name: list(schema(name)["properties"]) for name in sys.argv[1:]}))`;

/** The properties that CloudFormation knows of resource types, by the schemas that it ships. */
export async function propertiesOfTypes(...types: string[]): Promise<Record<string, string[]>> {
	await install();
	const child = Bun.spawn([join(FOLDER, "bin", "python"), "-c", PROPERTIES, ...types], {
		stdin: "ignore",
		stdout: "pipe",
		stderr: "inherit",
	});
	return (await new Response(child.stdout).json()) as Record<string, string[]>;
}

/** What it says of templates; empty if nothing is wrong with them. */
export async function cfnLint(...files: string[]): Promise<string> {
	await install();
	const child = Bun.spawn([COMMAND, "--regions", "eu-west-1", "--", ...files], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
	const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
	return code === 0 ? out : `${out}${err}` || `it ended with ${code}`;
}
