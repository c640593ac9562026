// A machine for the tests: the compiled agent between three small servers, with one of the fake runners, and a power-off that counts.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clocks } from "../../agent/clocks.ts";
import type { BootDocument } from "../../contract/boot.ts";
import { agentBinary } from "./binary.ts";
import { bootDocument } from "./documents.ts";
import { type Documents, type MailboxOptions, startImds, startMailbox, startRelay } from "./servers.ts";

export interface Scene {
	/** Name of a folder test/fakes/runner-<name>. */
	runner: string;
	/** Changes to the boot document; a text is left in its place; null leaves none. */
	document?: Partial<BootDocument> | string | null;
	/** GITHUB_* of the job, for the runners that call the hook. */
	job?: Record<string, string>;
	clocks?: Partial<Clocks>;
	env?: Record<string, string>;
	imds?: Documents;
	mailbox?: MailboxOptions;
	relayStatus?: number;
	/** How often the power-off fails before it works. */
	powerFails?: number;
	/** Directory to start the agent in. */
	cwd?: string;
	/** Done to the machine's folder before it starts. */
	prepare?: (folder: string) => void;
}

const SHORT: Partial<Clocks> = {
	...{ pollFast: 5, pollSlow: 5, stopGrace: 5000, relaunch: 10, update: 10_000, spotPoll: 20 },
	...{ spotLead: 25_000, spotLinger: 0, deniedPause: 500, flush: 1000 },
};

function layOut(scene: Scene) {
	const folder = mkdtempSync(join(tmpdir(), "mf-"));
	const [root, state, power] = ["runner", "state", "power"].map((name) => join(folder, name)) as [string, string, string];
	cpSync(join(import.meta.dir, "../fakes", `runner-${scene.runner}`), root, { recursive: true });
	const variables = Object.entries(scene.job ?? {}).map(([name, value]) => `${name}='${value.replaceAll("'", "'\\''")}'\n`);
	if (scene.job) writeFileSync(join(root, "job.env"), variables.join(""));
	mkdirSync(power);
	const script = `#!/bin/bash\necho off >> '${power}/calls'\n[ "$(wc -l < '${power}/calls')" -gt ${scene.powerFails ?? 0} ]\n`;
	writeFileSync(join(power, "off"), script, { mode: 0o755 });
	scene.prepare?.(folder);
	return { folder, root, state, power };
}

function documentText(document: Scene["document"], servers: { relay: string; mailbox: string }): string | null {
	if (typeof document === "string" || document === null) return document;
	return JSON.stringify(bootDocument(servers, document));
}

export type Machine = Awaited<ReturnType<typeof startMachine>>;

export async function startMachine(scene: Scene) {
	const place = layOut(scene);
	const [mailbox, relay] = [startMailbox(scene.mailbox), startRelay(scene.relayStatus)];
	const imds = startImds({ "user-data": `MAYFLY_MAILBOX_URL=${mailbox.url}\n`, ...scene.imds });
	const document = documentText(scene.document, { relay: relay.url, mailbox: mailbox.url });
	if (document !== null) mailbox.put(document);
	const agent = Bun.spawn([await agentBinary()], {
		...{ cwd: scene.cwd ?? "/", detached: true, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
		env: {
			...{ PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: place.folder, SECRET_OF_THE_AGENT: "not for jobs" },
			...{ MAYFLY_IMDS_URL: imds.url, MAYFLY_MAILBOX_URL: mailbox.url, MAYFLY_RUNNER_ROOT: place.root, MAYFLY_STATE_DIR: place.state },
			...{ MAYFLY_RUNNER_USER: "", MAYFLY_POWER_OFF: join(place.power, "off"), LOG_LEVEL: "debug" },
			...{ MAYFLY_CLOCKS: JSON.stringify({ ...SHORT, ...scene.clocks }), ...scene.env },
		},
	});
	const output = Promise.all([new Response(agent.stdout).text(), new Response(agent.stderr).text()]);
	const read = (path: string) => (existsSync(join(place.folder, path)) ? readFileSync(join(place.folder, path), "utf8") : null);
	const until = async (isTrue: () => boolean) => {
		while (!isTrue() && agent.exitCode === null) await Bun.sleep(5);
		if (!isTrue()) throw new Error(`the agent ended before that: ${(await output).join("")}`);
	};
	return {
		...place,
		...{ imds, mailbox, relay, agent, read, until },
		reached: (phase: string) => until(() => relay.reports.some((report) => report.phase === phase)),
		async ended() {
			const code = await agent.exited;
			const [out, err] = await output;
			const offs = (read("power/calls") ?? "").split("\n").length - 1;
			return { code, out, err, offs, phases: relay.reports.map(({ phase }) => phase), reports: relay.reports };
		},
		async remove() {
			try {
				process.kill(-agent.pid, "SIGKILL");
			} catch {
				// The whole group has ended.
			}
			await agent.exited;
			await Promise.all([imds.stop(), mailbox.stop(), relay.stop()]);
			rmSync(place.folder, { recursive: true, force: true, maxRetries: 5 });
		},
	};
}

/** A machine from its boot to its end. `during` may look at it and do things to it. */
export async function runMachine(scene: Scene, during?: (machine: Machine) => Promise<void>) {
	const machine = await startMachine(scene);
	try {
		await during?.(machine);
		const ended = await machine.ended();
		const files = Object.fromEntries(["env", "args", "setup_info"].map((name) => [name, machine.read(`runner/seen.${name}`)]));
		return {
			...ended,
			files,
			asked: machine.mailbox.asked,
			left: machine.mailbox.left,
			starts: machine.read("runner/starts"),
			hookLog: machine.read("runner/hook.log"),
			firstStep: machine.read("runner/first-step") !== null,
			trapped: machine.read("trapped") !== null || machine.read("runner/trapped") !== null,
			interrupted: machine.read("runner/interrupted") !== null,
			second: machine.read("runner/second.exit"),
			cwd: machine.folder,
		};
	} finally {
		await machine.remove();
	}
}
