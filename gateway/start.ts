// Wires a gateway and keeps it going until it is told to end: lists in, lines out, an eye on the other zones.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Fetch } from "../aws/imds-reader.ts";
import { createBatches } from "./batches.ts";
import type { Config } from "./config.ts";
import { dropLine } from "./drop-lines.ts";
import { createEc2 } from "./ec2.ts";
import type { Instance } from "./imds.ts";
import { DOCUMENT, install, installedFolder, NotPutBackError } from "./install.ts";
import { readKernelLog } from "./kernel.ts";
import { createLog, type Log } from "./log.ts";
import { createLogs } from "./logs.ts";
import { fetchLists } from "./mailbox.ts";
import { render } from "./render.ts";
import { ship } from "./ship.ts";
import { firstSight, STEP_MS } from "./sight.ts";
import { decideSync, type Fetched, installed, NOTHING_YET, type Synced, unknown, withProblem } from "./sync.ts";
import { listenSyslog } from "./syslog.ts";
import { watchStep } from "./watch.ts";

export interface Ports {
	config: Config;
	version: string;
	instanceId: string;
	instance: Instance;
	fetch: Fetch;
	/** Aborted when the program is to end. */
	signal: AbortSignal;
}

const SHIP_MS = 1000;
const LONGEST_SHIP_PAUSE_MS = 30_000;
/** For the last lines, when the program ends. */
const LAST_SHIP_MS = 5000;
/** Lines that wait while CloudWatch does not answer. */
const [PROXY_BYTES, OWN_BYTES] = [32 * 1024 * 1024, 1024 * 1024];

/** Ends early when the signal comes. */
const pause = (ms: number, signal: AbortSignal) => setTimeout(ms, undefined, { signal }).catch(() => undefined);

/** One step after the other, each begun so long after the one before it began. */
async function keepOn<S>(first: S, everyMs: (state: S) => number, signal: AbortSignal, step: (state: S) => Promise<S>): Promise<void> {
	for (let state = first; !signal.aborted; ) {
		const begun = performance.now();
		state = await step(state);
		await pause(Math.max(0, everyMs(state) - (performance.now() - begun)), signal);
	}
}

async function takeLists(ports: Ports, log: Log, before: Synced, fetched: Fetched): Promise<Synced> {
	const { config } = ports;
	const decision = decideSync(before, fetched);
	if (decision.say !== null) log("lists-refused", { reason: decision.say });
	if (decision.install === null) return decision.state;
	const { document, text, etag } = decision.install;
	try {
		await install(config.folder, text, (folder) => render(document, config, folder), config.reload);
	} catch (error) {
		const refused = withProblem(before, String(error));
		if (refused.say !== null) log("lists-refused", { reason: refused.say });
		return error instanceof NotPutBackError ? unknown(refused.state) : refused.state;
	}
	const lists = document.lists.map(({ name, hosts }) => ({ name, hosts: hosts.length }));
	log("lists-installed", { mode: document.mode, lists });
	return installed(text, etag);
}

/** What was installed before this program started is taken up again at once. `onLists` hears whether any are, as often as it is looked. */
async function keepListsUp(ports: Ports, log: Log, onLists: (areThere: boolean) => void): Promise<void> {
	const { config, fetch, signal } = ports;
	const folder = await installedFolder(config.folder);
	const text = folder === null ? null : await readFile(join(folder, DOCUMENT), "utf8").catch(() => null);
	const first = text === null ? NOTHING_YET : await takeLists(ports, log, NOTHING_YET, { kind: "document", text, etag: null });
	const heard = (state: Synced) => {
		onLists(state.text !== null);
		return state;
	};
	const step = async (state: Synced) => heard(await takeLists(ports, log, state, await fetchLists(fetch, config.mailboxUrl, state.etag)));
	await keepOn(heard(first), () => config.pollMs, signal, step);
}

/** Resolves once the signal has come and the last lines are away, or cannot be brought away. */
export async function start(ports: Ports): Promise<void> {
	const { config, instanceId, instance, fetch, signal, version } = ports;
	const [proxy, own] = [createBatches(PROXY_BYTES), createBatches(OWN_BYTES)];
	const toOwn = (line: string) => own.add(line, Date.now());
	const log = createLog({ zone: config.zone, instanceId }, Date.now, [(line) => void process.stdout.write(`${line}\n`), toOwn]);
	const access = async () => ({ region: config.region, credentials: await instance.credentials(), fetch });
	const logs = createLogs(access, config.logsUrl);
	const streams = [
		{ group: config.logGroup, stream: instanceId, batches: proxy },
		{ group: config.ownLogGroup, stream: instanceId, batches: own },
	];
	const shipStep = async (failures: number) => {
		const lost = proxy.takeLost() + own.takeLost();
		if (lost > 0) log("lines-lost", { count: lost });
		const problems = (await Promise.all(streams.map((stream) => ship(logs, stream)))).filter((problem) => problem !== null);
		if (problems.length > 0 && failures === 0) log("lines-wait", { problem: problems[0] });
		return problems.length > 0 ? failures + 1 : 0;
	};
	const shipPause = (failures: number) => Math.min(SHIP_MS * 2 ** Math.min(failures, 10), LONGEST_SHIP_PAUSE_MS);

	const syslog = await listenSyslog(config.syslogPort, (line) => proxy.add(line, Date.now()));
	const onRecord = (record: string) => {
		const line = dropLine(record, Date.now());
		if (line !== null) proxy.add(line, Date.now());
	};
	const ec2 = createEc2({ ...config, endpoint: config.ec2Url, credentials: instance.credentials });
	let hasLists = false;
	const watch = { ec2, fetch, log, now: () => Math.round(performance.now()), hasLists: () => hasLists };
	const sight = firstSight(instanceId, config.zone, Object.keys(config.routeTables));
	log("started", { version, zones: sight.zones });
	await Promise.all([
		readKernelLog(onRecord, signal).catch((error: unknown) => log("no-kernel-log", { error: String(error) })),
		keepListsUp(ports, log, (areThere) => {
			hasLists = areThere;
		}),
		keepOn(
			sight,
			() => STEP_MS,
			signal,
			(state) => watchStep(watch, state),
		),
		keepOn(0, shipPause, signal, shipStep),
	]);
	syslog.close();
	log("ended", {});
	await Promise.race([shipStep(1), Bun.sleep(LAST_SHIP_MS)]);
}
