// Starts the runner stand-in for its tests: laid out in a directory of its own, with nothing in its environment but what is given.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clocks } from "../../local/runner/clocks.ts";
import { layoutRunner } from "../../local/runner/layout.ts";
import { jobOf, startRunnerBroker } from "./runner-broker.ts";

const SHORT: Partial<Clocks> = {
	...{ renew: 20, renewAgain: 10, session: 20, sessionConflict: 60, reconnect: 10 },
	...{ interrupt: 300, terminate: 300, streams: 300, unload: 200, log: 20 },
};

export async function layOutRunner(clocks: Partial<Clocks> = {}) {
	const root = mkdtempSync(join(tmpdir(), "runner-"));
	await layoutRunner(root, { bun: process.execPath, clocks: { ...SHORT, ...clocks } });
	return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}

export function startListener(root: string, args: string[], env: Record<string, string> = {}) {
	const listener = Bun.spawn([join(root, "bin/Runner.Listener"), ...args], {
		...{ cwd: root, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
		env: { PATH: process.env.PATH ?? "", HOME: root, ...env },
	});
	const output = { out: "" };
	const reading = (async () => {
		const decoder = new TextDecoder();
		for await (const chunk of listener.stdout) output.out += decoder.decode(chunk, { stream: true });
	})();
	return {
		pid: listener.pid,
		signal: (name: NodeJS.Signals) => listener.kill(name),
		/** Resolves once stdout holds the text. */
		async says(text: string) {
			while (!output.out.includes(text) && listener.exitCode === null) await Bun.sleep(5);
			if (!output.out.includes(text)) throw new Error(`ended without saying ${text}: ${output.out}`);
		},
		async ended() {
			const code = await listener.exited;
			await reading;
			return { code, out: output.out, err: await new Response(listener.stderr).text() };
		},
	};
}

export type Broker = ReturnType<typeof startRunnerBroker>;
export type Listener = ReturnType<typeof startListener>;

interface Scene {
	job?: ReturnType<typeof jobOf> | null;
	env?: Record<string, string>;
	clocks?: Partial<Clocks>;
	prepare?: (broker: Broker, root: string) => void;
	during?: (listener: Listener, broker: Broker, root: string) => Promise<void>;
	after?: (root: string) => void;
}

/** A runner from start to end against a broker of its own. */
export async function runScene({ job = null, env = {}, clocks, prepare, during, after }: Scene) {
	const broker = startRunnerBroker(job);
	const { root, remove } = await layOutRunner(clocks);
	prepare?.(broker, root);
	const listener = startListener(root, ["run"], { ACTIONS_RUNNER_INPUT_JITCONFIG: broker.jitConfig(), ...env });
	try {
		await during?.(listener, broker, root);
		const ended = await listener.ended();
		after?.(root);
		return { ...ended, root, told: broker.told, completion: broker.told.completions[0] };
	} finally {
		listener.signal("SIGKILL");
		await broker.stop();
		remove();
	}
}

/** A job of these scripts, run with nothing else of note. */
export async function runScripts(run: string[], more: Parameters<typeof jobOf>[0] = {}, env: Record<string, string> = {}) {
	return await runScene({ job: jobOf({ run, ...more }), env: { ACTIONS_RUNNER_RETURN_JOB_RESULT_FOR_HOSTED: "true", ...env } });
}
