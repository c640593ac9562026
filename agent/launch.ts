// The effect `launch`: everything the runner finds when it starts, then the runner. Nothing here waits: the boot document has come and a job is queued.
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Account, findAccount } from "./account.ts";
import { decideAdmission, type Verdict } from "./admission.ts";
import { startHook } from "./hook.ts";
import { runnerEnvironment, startRunner } from "./runner.ts";
import { readRunnerLine } from "./runner-lines.ts";
import { setupGroups, writeSetupInfo } from "./setup-info.ts";
import type { Claimed, Shell } from "./shell.ts";

const UPDATE_LOOK_MS = 250;

function onVerdict({ dispatch, log }: Shell, verdict: Verdict): void {
	if (verdict.admitted) log.info({}, "the job was admitted");
	else dispatch({ type: "denied", reason: `${verdict.rule}: ${verdict.reason}` });
}

function openHook(shell: Shell, { document }: Claimed) {
	return startHook({
		stateDir: shell.config.stateDir,
		limitMs: shell.config.clocks.hook,
		hold: document.limits.hold,
		audience: document.grant.oidc?.audience ?? null,
		decide: (asked) => decideAdmission(document.grant, asked, shell.moments.claimed ?? shell.startedAt, shell.now()),
		removed: () => shell.removed.promise,
		onVerdict: (verdict) => onVerdict(shell, verdict),
	});
}

function accountOf(name: string | null): Account | null {
	if (name === null) return null;
	const account = findAccount(readFileSync("/etc/passwd", "utf8"), name);
	if (account === null) throw new Error(`there is no user ${name} to run the runner as`);
	return account;
}

/** Owned by the runner, which writes its moments there. */
function makePerfDir(stateDir: string, account: Account | null): string {
	const perfDir = join(stateDir, "perf");
	mkdirSync(perfDir, { recursive: true });
	if (account) chownSync(perfDir, account.uid, account.gid);
	return perfDir;
}

function hear(shell: Shell, text: string): void {
	const line = readRunnerLine(text);
	shell.log.debug({ line: text.slice(0, 500) }, "runner");
	if (line === null) return;
	if (line.kind === "version") shell.runnerVersion = line.version;
	shell.dispatch({ type: "said", line });
}

/** Shows the timings so far. The job runs without them, too. */
export function showSetup({ claimed, identity, config, build, runnerVersion, moments, log }: Shell): void {
	if (claimed === null || identity === null) return;
	try {
		const facts = { document: claimed.document, identity, build, runnerVersion, moments };
		writeSetupInfo(config.runnerRoot, setupGroups(facts));
	} catch (error) {
		log.warn({ error: String(error) }, "the timings cannot be shown");
	}
}

function start(shell: Shell, claimed: Claimed): void {
	const { config, moments, dispatch } = shell;
	const account = accountOf(config.runnerUser);
	shell.hook ??= openHook(shell, claimed);
	const given = { jitConfig: claimed.document.jitConfig, hook: shell.hook.script, perfDir: makePerfDir(config.stateDir, account) };
	moments.launched = shell.now();
	showSetup(shell);
	shell.runner = startRunner({
		root: config.runnerRoot,
		env: runnerEnvironment(config.inherited, account, given),
		account,
		onLine: (text) => hear(shell, text),
		onExit(code, signal) {
			moments.exited = shell.now();
			dispatch({ type: "exited", code, signal });
		},
	});
	shell.log.info({ pid: shell.runner.pid }, "the runner was started");
}

/** Starts the runner, or has the life know that it cannot be. */
export function launch(shell: Shell): void {
	if (shell.claimed === null) return;
	try {
		start(shell, shell.claimed);
	} catch (error) {
		shell.dispatch({ type: "refused", reason: `the runner cannot be started: ${error instanceof Error ? error.message : String(error)}` });
	}
}

/** Says when the runner has replaced itself: `update.finished` in its root, which run-helper.sh removes as well (FACTS 1.1). */
export async function awaitUpdate({ config, dispatch, over }: Shell): Promise<void> {
	const file = join(config.runnerRoot, "update.finished");
	while (!over.signal.aborted && !existsSync(file)) await Bun.sleep(UPDATE_LOOK_MS);
	rmSync(file, { force: true });
	dispatch({ type: "updated" });
}
