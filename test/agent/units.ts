// A machine whose process 1 is a real systemd with the units that ship: power-off is the end of its namespaces.
import { chownSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BootDocument } from "../../contract/boot.ts";
import { agentBinary } from "./binary.ts";
import { bootDocument } from "./documents.ts";
import { startImds, startMailbox, startRelay } from "./servers.ts";

const UNITS = join(import.meta.dir, "..", "..", "ami", "units");
const BOOT = join(import.meta.dir, "..", "fakes", "systemd-machine.sh");
/** Debian's own user for nobody's processes. */
const NOBODY = { name: "nobody", uid: 65534, gid: 65534 };

export interface Scene {
	runner: string;
	document?: Partial<BootDocument> | null;
	job?: Record<string, string>;
	/** Changes to units, by the unit's name: drop-in lines. */
	changes?: Record<string, string>;
	env?: Record<string, string>;
	/** Done to the folder before it boots. */
	prepare?: (folder: string) => void;
}

/** A machine that is up, from outside. */
export interface Units {
	/** The process id, here, of what runs under a name there. */
	pidOf(comm: string): number | null;
	/** What it reported so far. */
	phases(): string[];
	isUp(): boolean;
}

function owned(path: string): void {
	chownSync(path, NOBODY.uid, NOBODY.gid);
	for (const entry of readdirSync(path, { withFileTypes: true }))
		if (entry.isDirectory()) owned(join(path, entry.name));
		else chownSync(join(path, entry.name), NOBODY.uid, NOBODY.gid);
}

/** Boots it; `during` may do things to it by the process ids that it sees from outside. Resolves once it is off. */
export async function bootUnits(scene: Scene, during?: (machine: Units) => Promise<void>) {
	const folder = mkdtempSync(join(tmpdir(), "mayfly-units-"));
	const servers = [startImds({ "meta-data/instance-life-cycle": "on-demand" }), startMailbox({}), startRelay()] as const;
	const [imds, mailbox, relay] = servers;
	try {
		mkdirSync(join(folder, "opt"));
		cpSync(join(import.meta.dir, "../fakes", `runner-${scene.runner}`), join(folder, "opt/actions-runner"), { recursive: true });
		const variables = Object.entries(scene.job ?? {}).map(([name, value]) => `${name}='${value}'\n`);
		writeFileSync(join(folder, "opt/actions-runner/job.env"), variables.join(""));
		owned(join(folder, "opt/actions-runner"));
		cpSync(UNITS, join(folder, "units"), { recursive: true });
		for (const [unit, lines] of Object.entries(scene.changes ?? {})) {
			const file = join(folder, "units", unit);
			writeFileSync(file, `${readFileSync(file, "utf8")}\n${lines}\n`);
		}
		cpSync(await agentBinary(), join(folder, "mayfly-agent"));
		const env = {
			...{ MAYFLY_IMDS_URL: imds.url, MAYFLY_MAILBOX_URL: mailbox.url, MAYFLY_RUNNER_USER: NOBODY.name, LOG_LEVEL: "debug" },
			...scene.env,
		};
		writeFileSync(
			join(folder, "agent.env"),
			Object.entries(env)
				.map(([name, value]) => `${name}=${value}\n`)
				.join(""),
		);
		if (scene.document !== null) mailbox.put(JSON.stringify(bootDocument({ relay: relay.url, mailbox: mailbox.url }, scene.document)));
		scene.prepare?.(folder);
		const namespaces = "--mount --pid --fork --uts --ipc --cgroup --kill-child".split(" ");
		const machine = Bun.spawn(["unshare", ...namespaces, "bash", BOOT, folder], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
		const output = Promise.all([new Response(machine.stdout).text(), new Response(machine.stderr).text()]);
		const inside = () => descendantsOf(machine.pid);
		const pidOf = (comm: string) => inside().find((pid) => commOf(pid) === comm) ?? null;
		await during?.({ pidOf, phases: () => relay.reports.map(({ phase }) => phase), isUp: () => machine.exitCode === null });
		await machine.exited;
		return {
			/** How a power-off looks from outside: reboot(2) in a process namespace ends its process 1 with SIGINT. */
			isOff: machine.signalCode === "SIGINT" || machine.exitCode === 130,
			exit: machine.exitCode ?? machine.signalCode,
			output: (await output).join(""),
			phases: relay.reports.map(({ phase }) => phase),
			reports: relay.reports,
			left: mailbox.left,
			/** What the runner wrote down, by what follows `seen.`. */
			seen: seenIn(join(folder, "opt/actions-runner")),
		};
	} finally {
		await Promise.all(servers.map((server) => server.stop()));
		rmSync(folder, { recursive: true, force: true });
	}
}

function seenIn(root: string): Record<string, string> {
	const names = readdirSync(root).filter((name) => name.startsWith("seen."));
	return Object.fromEntries(names.map((name) => [name.slice("seen.".length), readFileSync(join(root, name), "utf8")]));
}

function commOf(pid: number): string | null {
	try {
		return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
	} catch {
		return null;
	}
}

function descendantsOf(pid: number): number[] {
	try {
		const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
		return children.flatMap((child) => [child, ...descendantsOf(child)]);
	} catch {
		return [];
	}
}
