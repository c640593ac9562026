// The shell: performs what the life decides, and tells it what happens. From the first request to IMDS to the power-off.
import { readFileSync } from "node:fs";
import { awaitDocument, readClaim, removeDocument } from "./claim.ts";
import { awaitUpdate, awaitWorker, launch, showSetup } from "./launch.ts";
import { leaveAll, leaveRecord } from "./leave.ts";
import { live, nextAlarm } from "./life.ts";
import { begin, type Effect, type Event } from "./life-state.ts";
import { createMailbox } from "./mailbox.ts";
import { kernelStart } from "./moments.ts";
import { powerOff } from "./power.ts";
import { createReporter } from "./reporter.ts";
import { type Ports, type Shell, sendReport } from "./shell.ts";
import { watchNotices } from "./watch.ts";

const IDENTIFY_AGAIN_MS = 50;
/** A timer takes at most 2^31 - 1 ms; waking up earlier does no harm. */
const LONGEST_TIMER_MS = 86_400_000;

/** Asks until IMDS answers: at the start the network may not be up yet. */
async function identify(shell: Shell): Promise<void> {
	for (let attempt = 1; !shell.over.signal.aborted; attempt += 1) {
		try {
			const asked = shell.config.mailboxUrl ?? shell.imds.mailboxUrl();
			const [identity, mailboxUrl] = await Promise.all([shell.imds.identity(), asked]);
			if (!identity.ok) return shell.dispatch({ type: "refused", reason: `the identity document was refused: ${identity.reason}` });
			if (mailboxUrl === null) return shell.dispatch({ type: "refused", reason: "the user data names no mailbox" });
			shell.identity = identity.value;
			shell.mailbox = createMailbox(mailboxUrl, identity.value, shell.fetch);
			return shell.dispatch({ type: "identified" });
		} catch (error) {
			if (attempt === 1) shell.log.warn({ error: String(error) }, "IMDS cannot be asked yet");
		}
		await Bun.sleep(IDENTIFY_AGAIN_MS);
	}
}

async function claim(shell: Shell): Promise<void> {
	const { mailbox, identity, config, now, log, over, fetch } = shell;
	if (mailbox === null || identity === null) return;
	const text = await awaitDocument({ mailbox, clocks: config.clocks, now, log, over: over.signal });
	if (text === null) return;
	const read = readClaim(text, identity.instanceId);
	const { document } = read;
	if (document !== null) shell.claimed = { document, reporter: createReporter(document.report, fetch, log) };
	if (!read.ok) return shell.dispatch({ type: "refused", reason: read.reason });
	shell.dispatch({ type: "claimed", limits: read.document.limits });
}

function watch(shell: Shell): void {
	const { imds, log, config, over, dispatch, moments, now } = shell;
	void watchNotices({
		...{ imds, log, pollMs: config.clocks.spotPoll, over: over.signal },
		onNotice(terminateAt) {
			moments.noticed = now();
			dispatch({ type: "noticed", terminateAt });
		},
		onRebalance(rebalanceAt) {
			moments.rebalance = rebalanceAt;
			log.warn({ rebalanceAt }, "EC2 recommends to leave this machine");
			dispatch({ type: "recommended" });
		},
	});
}

async function remove({ mailbox, log, over, removed }: Shell): Promise<void> {
	if (mailbox !== null) removed.resolve(await removeDocument({ mailbox, log, over: over.signal }));
}

/** The last word, but not at any price: the power goes when the time for it is over. */
async function turnOff(shell: Shell, reason: string): Promise<boolean> {
	const { over, log, config, claimed, hook, left } = shell;
	over.abort();
	log.info({ reason }, "off");
	const said = Promise.all([claimed?.reporter.settled(), left.then(() => leaveRecord(shell, reason))]);
	await Promise.race([said, Bun.sleep(config.clocks.flush)]);
	const isOff = await powerOff(config.powerOff, log);
	hook?.stop();
	return isOff;
}

type Performers = { [T in Effect["type"]]: (effect: Extract<Effect, { type: T }>) => unknown };

function performersOf(shell: Shell, ended: (isOff: Promise<boolean>) => void): Performers {
	return {
		claim: () => claim(shell),
		launch: () => launch(shell),
		remove: () => remove(shell),
		show: () => showSetup(shell),
		awaitUpdate: () => awaitUpdate(shell),
		awaitWorker: () => awaitWorker(shell),
		record: () => {
			shell.left = leaveAll(shell);
		},
		signal: ({ signal }) => shell.runner?.signal(signal),
		report: ({ phase, reason, measurements }) => sendReport(shell, phase, reason, measurements),
		off: ({ reason }) => ended(turnOff(shell, reason)),
	};
}

/** Which moment a stage is the beginning of. */
const MOMENTS = { claiming: "identified", preparing: "claimed", listening: "listening", running: "running" } as const;

function notePassage({ life, moments, passages, now }: Shell): void {
	const { stage } = life;
	if (passages.at(-1)?.stage === stage) return;
	passages.push({ stage, at: now() });
	if (stage in MOMENTS) moments[MOMENTS[stage as keyof typeof MOMENTS]] ??= now();
}

/** Rings when the next alarm is due. */
function createTimer(shell: Shell): () => void {
	let timer: ReturnType<typeof setTimeout> | undefined;
	return () => {
		clearTimeout(timer);
		const next = nextAlarm(shell.life);
		if (next === null) return;
		const delay = Math.min(Math.max(next.at - shell.now(), 0), LONGEST_TIMER_MS);
		timer = setTimeout(() => shell.dispatch({ type: "tick" }), delay);
	};
}

/** One event after the other: an effect that causes another event is performed to its end first. A life that fails is told to `failed`. */
function createDispatch(shell: Shell, performers: Performers, failed: (error: unknown) => void): (event: Event) => void {
	const waiting: Event[] = [];
	const schedule = createTimer(shell);
	const perform = <T extends Effect["type"]>(effect: Extract<Effect, { type: T }>) => performers[effect.type as T](effect);
	const handle = (event: Event) => {
		const { life, effects } = live(shell.life, event, shell.now(), shell.config.clocks);
		shell.life = life;
		notePassage(shell);
		for (const effect of effects) perform(effect);
	};
	return (event) => {
		waiting.push(event);
		if (waiting.length > 1) return;
		try {
			for (; waiting.length > 0; waiting.shift()) handle(waiting[0] as Event);
			schedule();
		} catch (error) {
			failed(error);
		}
	};
}

function kernelOf(now: number): number | undefined {
	try {
		return kernelStart(readFileSync("/proc/uptime", "utf8"), now);
	} catch {
		return undefined;
	}
}

/** Lives one machine's life. `ended` is whether the machine could be turned off, and rejects only for what nobody thought of. `ask` is how a signal to the agent reaches the life. */
export function runAgent(ports: Ports): { ended: Promise<boolean>; ask: (signal: string) => void } {
	const { promise: ended, resolve, reject } = Promise.withResolvers<boolean>();
	const shell: Shell = {
		...ports,
		...{ life: begin(ports.now(), ports.config.clocks), moments: { started: ports.startedAt }, passages: [], over: new AbortController() },
		...{ identity: null, mailbox: null, claimed: null, hook: null, runner: null, runnerVersion: null, account: null },
		...{ runnerRoot: ports.config.runnerRoot, left: Promise.resolve() },
		...{ removed: Promise.withResolvers<boolean>(), dispatch: () => {} },
	};
	shell.dispatch = createDispatch(shell, performersOf(shell, resolve), reject);
	void identify(shell).then(() => watch(shell));
	shell.dispatch({ type: "tick" });
	shell.moments.kernel = kernelOf(ports.now());
	return { ended, ask: (signal) => shell.dispatch({ type: "signalled", signal }) };
}
