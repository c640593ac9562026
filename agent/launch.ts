// The effect `launch`: everything the runner finds when it starts, then the runner. Nothing here waits: the boot document has come and a job is queued.
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Account, findAccount } from "./account.ts";
import { decideAdmission, type Verdict } from "./admission.ts";
import { exchangeRunner, isOlder } from "./exchange.ts";
import { startHook } from "./hook.ts";
import type { Mailbox } from "./mailbox.ts";
import { runnerEnvironment, startRunner } from "./runner.ts";
import { readRunnerLine } from "./runner-lines.ts";
import { startRunnerUnit } from "./runner-unit.ts";
import { setupGroups, writeSetupInfo } from "./setup-info.ts";
import { type Claimed, perfFolder, type Shell } from "./shell.ts";
import { openSsh } from "./ssh.ts";
import { isWorkerThere } from "./worker.ts";

const UPDATE_LOOK_MS = 250;
const WORKER_LOOK_MS = 500;

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
function makePerfDir(perfDir: string, account: Account | null): string {
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
export function showSetup({ claimed, identity, runnerRoot, account, build, runnerVersion, moments, log }: Shell): void {
	if (claimed === null || identity === null) return;
	try {
		const user = account?.name ?? "root";
		const facts = { document: claimed.document, identity, build, runnerVersion, user, moments };
		writeSetupInfo(runnerRoot, setupGroups(facts));
	} catch (error) {
		log.warn({ error: String(error) }, "the timings cannot be shown");
	}
}

function start(shell: Shell, claimed: Claimed): void {
	const { config, moments, dispatch, account } = shell;
	shell.hook ??= openHook(shell, claimed);
	const given = { jitConfig: claimed.document.jitConfig, hook: shell.hook.script, perfDir: makePerfDir(perfFolder(shell), account) };
	moments.launched = shell.now();
	showSetup(shell);
	const options = {
		root: shell.runnerRoot,
		env: runnerEnvironment(config.inherited, account, given),
		account,
		onLine: (text: string) => hear(shell, text),
		onExit(code: number | null, signal: string | null) {
			moments.exited = shell.now();
			dispatch({ type: "exited", code, signal });
		},
	};
	const { runnerUnit, stateDir } = config;
	// The unit before it may not be forgotten yet.
	const unit = runnerUnit === null || shell.life.relaunches === 0 ? runnerUnit : `${runnerUnit}-${shell.life.relaunches}`;
	shell.runner = unit === null ? startRunner(options) : startRunnerUnit({ ...options, unit, stateDir });
	shell.log.info({ unit }, "the runner was started");
}

const wordsOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Puts the runner in place that the document wants, where the image's is older. */
async function exchange(shell: Shell, { document }: Claimed, mailbox: Mailbox): Promise<void> {
	const { config, account, log } = shell;
	if (document.runner === null) return;
	log.info({ wanted: document.runner.version, baked: config.runnerVersion }, "the image's runner is too old");
	const signal = AbortSignal.any([shell.over.signal, AbortSignal.timeout(config.clocks.exchange)]);
	shell.runnerRoot = await exchangeRunner({ wanted: document.runner, root: config.runnerRoot, account, mailbox, signal });
	shell.moments.exchanged = shell.now();
}

function mustExchange({ claimed, config, moments }: Shell): boolean {
	const wanted = claimed?.document.runner ?? null;
	return wanted !== null && moments.exchanged === undefined && isOlder(config.runnerVersion, wanted.version);
}

/** Starts the runner unless the life has moved on while another one was fetched. */
function begin(shell: Shell, claimed: Claimed): void {
	const { dispatch, config, life } = shell;
	if (life.stage === "off") return;
	// Told to end meanwhile: there is no runner to be told.
	if (life.stopped) {
		dispatch({ type: "exited", code: null, signal: "SIGINT" });
		return;
	}
	try {
		start(shell, claimed);
		openSsh(claimed.document.sshKeys, shell.account, config.sshStart, shell.log);
	} catch (error) {
		dispatch({ type: "refused", reason: `the runner cannot be started: ${wordsOf(error)}` });
	}
}

/** Starts the runner, or has the life know that it cannot be. Waits for nothing unless the image's runner is too old. */
export function launch(shell: Shell): void {
	const { claimed, mailbox, config, dispatch } = shell;
	if (claimed === null || mailbox === null) return;
	try {
		shell.account ??= accountOf(config.runnerUser);
	} catch (error) {
		dispatch({ type: "refused", reason: `the runner cannot be started: ${wordsOf(error)}` });
		return;
	}
	const failed = (error: unknown) => dispatch({ type: "refused", reason: `the runner cannot be exchanged: ${wordsOf(error)}` });
	if (mustExchange(shell)) void exchange(shell, claimed, mailbox).then(() => begin(shell, claimed), failed);
	else begin(shell, claimed);
}

/** Says when the job's worker is there. */
export async function awaitWorker(shell: Shell): Promise<void> {
	while (!shell.over.signal.aborted && shell.life.alarms.worker !== undefined) {
		if (isWorkerThere()) return shell.dispatch({ type: "working" });
		await Bun.sleep(WORKER_LOOK_MS);
	}
}

/** Says when the runner has replaced itself: `update.finished` in its root, which run-helper.sh removes as well (FACTS 1.1). */
export async function awaitUpdate({ runnerRoot, dispatch, over }: Shell): Promise<void> {
	const file = join(runnerRoot, "update.finished");
	while (!over.signal.aborted && !existsSync(file)) await Bun.sleep(UPDATE_LOOK_MS);
	rmSync(file, { force: true });
	dispatch({ type: "updated" });
}
