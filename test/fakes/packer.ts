// Packer and its Amazon plugin, built from their modules: what packer says of our templates, with the plugin that would run them.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { goProgram, TOOLS } from "./go-module.ts";

const PACKER = "v1.11.2";
/** The one that ami/packer/plugins.pkr.hcl asks for. */
const PLUGIN = "v1.8.0";
const PLUGINS = join(TOOLS, "packer-plugins");

export interface Packer {
	/** What it printed, and how it ended. */
	run(...args: string[]): Promise<{ code: number; out: string }>;
}

/** Nothing of it asks the internet: no checkpoint, no plugin but the one that was built, keys that nobody has. */
const ENVIRONMENT = {
	...{ PATH: process.env.PATH ?? "", HOME: TOOLS, PACKER_PLUGIN_PATH: PLUGINS, PACKER_CONFIG_DIR: TOOLS, CHECKPOINT_DISABLE: "1" },
	...{ AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "example", PACKER_NO_COLOR: "1" },
};

export async function installPacker(): Promise<Packer> {
	const packer = await goProgram("github.com/hashicorp/packer", PACKER);
	const run: Packer["run"] = async (...args) => {
		const child = Bun.spawn([packer, ...args], { cwd: TOOLS, env: ENVIRONMENT, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
		const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
		return { code, out: `${out}${err}` };
	};
	if (!existsSync(join(PLUGINS, "github.com/hashicorp/amazon"))) {
		const plugin = await goProgram("github.com/hashicorp/packer-plugin-amazon", PLUGIN);
		const { code, out } = await run("plugins", "install", "--path", plugin, "github.com/hashicorp/amazon");
		if (code !== 0) throw new Error(`packer plugins install: ${out}`);
	}
	return { run };
}
