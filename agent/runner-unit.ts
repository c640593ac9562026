// The runner as a unit of systemd's: its own user and its own cgroup, outside the agent's sandbox. Its output comes through a socket that only
// process 1 may connect to, and so does how it ended. No message bus is needed: the agent is up before there is one.
import { chmodSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createLines, type RunnerOptions, type RunnerProcess, runnerCommand } from "./runner.ts";

export interface UnitOptions extends RunnerOptions {
	/** Name of the transient unit. */
	unit: string;
	/** Where the socket lies. */
	stateDir: string;
}

/** Jobs may start as many processes as they like; the kernel ends the one that takes too much memory, and the others go on. */
const PROPERTIES = ["KillMode=control-group", "TimeoutStopSec=30", "OOMPolicy=continue", "TasksMax=infinity", "Delegate=yes"];
/** systemd runs it after everything of the unit has ended, and says how in these variables (systemd.exec(5)). */
const LAST_WORD = `ExecStopPost=/bin/sh -c 'echo "$EXIT_CODE" "$EXIT_STATUS"'`;

/** What asks systemd for the unit. Variables go by name: their values are in no command line. Pure. */
export function unitCommand(
	{ root, env, account, unit }: Pick<UnitOptions, "root" | "env" | "account" | "unit">,
	socket: string,
): string[] {
	return [
		...["systemd-run", "--quiet", "--collect", "--no-block", "--service-type=exec", `--unit=${unit}`, `--working-directory=${root}`],
		...(account === null ? [] : [`--uid=${account.uid}`, `--gid=${account.gid}`]),
		...[...PROPERTIES, `StandardOutput=file:${socket}`, "StandardError=inherit", LAST_WORD].map((it) => `--property=${it}`),
		...Object.keys(env).map((name) => `--setenv=${name}`),
		...["--", ...runnerCommand(root, null)],
	];
}

/** How a unit is told: to end, its main process; at once, all of it. Pure. */
export function signalCommand(unit: string, signal: "SIGINT" | "SIGKILL"): string[] {
	const whom = signal === "SIGINT" ? ["--kill-whom=main"] : [];
	return ["systemctl", "kill", `--signal=${signal}`, ...whom, unit];
}

/** `exited 100` or `killed KILL`, as ExecStopPost says it; null for anything else. Pure. */
export function endOf(words: string): { code: number | null; signal: string | null } | null {
	const [, how, what = ""] = /^(exited|killed|dumped) ([A-Z0-9]+)\s*$/.exec(words) ?? [];
	if (how === undefined) return null;
	return how === "exited" ? { code: Number(what), signal: null } : { code: null, signal: `SIG${what}` };
}

/** The unit connects before it becomes the runner: one that has not by then never will. */
const CONNECT_MS = 30_000;

/** The first to connect is the runner, the next is the last word. */
function listen(socket: string, onLine: (line: string) => void, onEnd: (words: string) => void, onNothing: () => void) {
	let connections = 0;
	setTimeout(() => connections === 0 && onNothing(), CONNECT_MS).unref();
	type Sink = ReturnType<typeof createLines>;
	const words: string[] = [];
	const server = Bun.listen<Sink>({
		unix: socket,
		socket: {
			open(connection) {
				connections += 1;
				connection.data = createLines(connections === 1 ? onLine : (line) => void words.push(line));
			},
			data: (connection, chunk) => connection.data.add(chunk),
			close(connection) {
				connection.data.end();
				if (words.length > 0) onEnd(words[0] ?? "");
			},
		},
	});
	chmodSync(socket, 0o600);
	return server;
}

/** Starts the runner as a unit. Throws if systemd cannot be asked; what it refuses is the runner's end. */
export function startRunnerUnit(options: UnitOptions): RunnerProcess {
	const { root, env, unit, stateDir, onLine, onExit } = options;
	const socket = join(stateDir, `${unit}.sock`);
	rmSync(socket, { force: true });
	let isOver = false;
	const end = (code: number | null, signal: string | null) => {
		if (isOver) return;
		isOver = true;
		server.stop();
		onExit(code, signal);
	};
	const last = (words: string) => {
		const { code, signal } = endOf(words) ?? { code: null, signal: words };
		end(code, signal);
	};
	const server = listen(socket, onLine, last, () => end(1, null));
	const asked = Bun.spawn(unitCommand(options, socket), { cwd: root, env, stdio: ["ignore", "ignore", "pipe"] });
	void Promise.all([new Response(asked.stderr).text(), asked.exited]).then(([said, code]) => {
		if (code === 0) return;
		for (const line of said.trim().split("\n")) onLine(line);
		end(1, null);
	});
	return { signal: (name) => void Bun.spawn(signalCommand(unit, name), { cwd: "/", stdio: ["ignore", "ignore", "ignore"] }) };
}
