// The relay under `wrangler dev`, as someone who changes it runs it.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quietWrangler, wranglerCommand } from "../../build/relay.ts";
import { OWNERS, SECRETS } from "./relay-under-test.ts";

function startDev(project: string, folder: string, more: Record<string, string>) {
	const vars = Object.entries({ ...SECRETS, OWNERS, ...more }).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
	const [node = "", wrangler = ""] = wranglerCommand;
	const flags = [
		"dev",
		"--port",
		"0",
		"--inspector-port",
		"0",
		"--persist-to",
		join(folder, "state"),
		"--show-interactive-dev-session=false",
	];
	// A group of its own: wrangler starts workerd, and both must end.
	return spawn(node, [wrangler, ...flags, ...vars], {
		cwd: project,
		env: quietWrangler(folder),
		detached: true,
		stdio: ["ignore", "pipe", "pipe"],
	});
}

async function readyUrl(dev: ReturnType<typeof startDev>): Promise<string> {
	let said = "";
	for await (const chunk of dev.stdout.iterator({ destroyOnReturn: false })) {
		said += String(chunk);
		const url = /Ready on (http:\/\/\S+)/.exec(said)?.[1];
		if (url) return url.replace("localhost", "127.0.0.1");
	}
	throw new Error(`wrangler dev ended:\n${said}`);
}

/** Serves the relay of a project folder on fresh storage; `vars` are added to the usual ones. */
export async function devServer(project: string, vars: Record<string, string> = {}) {
	const folder = await mkdtemp(join(tmpdir(), "mayfly-dev-"));
	const dev = startDev(project, folder, vars);
	const ended = new Promise((resolve) => dev.once("exit", resolve));
	const stop = async () => {
		if (dev.pid) process.kill(-dev.pid, "SIGTERM");
		await ended;
		await rm(folder, { recursive: true, force: true });
	};
	try {
		const url = await readyUrl(dev);
		for (const stream of [dev.stdout, dev.stderr]) stream.resume();
		return { url, [Symbol.asyncDispose]: stop };
	} catch (error) {
		await stop();
		throw error;
	}
}
