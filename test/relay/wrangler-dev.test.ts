// The relay under `wrangler dev`, as someone who changes it runs it: bindings and migration of wrangler.toml hold.
import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quietWrangler, wranglerCommand } from "../../build/relay.ts";
import { delivery, OWNERS, payloadOf, SECRETS } from "./relay-under-test.ts";

const root = join(import.meta.dir, "..", "..");

function startDev(folder: string) {
	const vars = Object.entries({ ...SECRETS, OWNERS }).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
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
		cwd: root,
		env: quietWrangler(folder),
		detached: true,
		stdio: ["ignore", "pipe", "pipe"],
	});
}

async function readyUrl(dev: ReturnType<typeof startDev>): Promise<string> {
	let said = "";
	for await (const chunk of dev.stdout) {
		said += String(chunk);
		const url = /Ready on (http:\/\/\S+)/.exec(said)?.[1];
		if (url) return url.replace("localhost", "127.0.0.1");
	}
	throw new Error(`wrangler dev ended:\n${said}`);
}

test("wrangler dev serves the relay: a signed webhook is stored", async () => {
	const folder = await mkdtemp(join(tmpdir(), "mayfly-dev-"));
	const dev = startDev(folder);
	const ended = new Promise((resolve) => dev.once("exit", resolve));
	try {
		const url = await readyUrl(dev);
		dev.stdout.resume();
		expect((await fetch(`${url}/health`)).status).toBe(200);
		expect((await fetch(`${url}/webhook`, delivery(payloadOf(1, "queued")))).status).toBe(202);
		const jobs = await fetch(`${url}/jobs`, { headers: { authorization: `Bearer ${SECRETS.OPERATOR_TOKEN}` } });
		expect(await jobs.json()).toMatchObject({ jobs: [{ id: 1, state: "queued" }] });
	} finally {
		if (dev.pid) process.kill(-dev.pid, "SIGTERM");
		await ended;
		await rm(folder, { recursive: true, force: true });
	}
}, 60_000);
