// What the shell around the life holds while the machine lives, and the few things that several effects need of it.
import { join } from "node:path";
import type { Fetch } from "../aws/imds-reader.ts";
import type { BootDocument } from "../contract/boot.ts";
import type { Measurements, ReportPhase } from "../contract/report.ts";
import type { Account } from "./account.ts";
import type { Config } from "./config.ts";
import type { Hook } from "./hook.ts";
import type { Identity, Imds } from "./imds.ts";
import type { Event, Life } from "./life-state.ts";
import type { Log } from "./log.ts";
import type { Mailbox } from "./mailbox.ts";
import { type Build, type Moments, telemetryOf, timingsOf } from "./moments.ts";
import { readPerf } from "./perf.ts";
import type { Passage } from "./record.ts";
import type { Reporter } from "./reporter.ts";
import type { RunnerProcess } from "./runner.ts";

/** All of the outside world that the agent gets from its entry. */
export interface Ports {
	config: Config;
	build: Build;
	fetch: Fetch;
	now: () => number;
	/** Epoch ms at which the agent's process started. */
	startedAt: number;
	log: Log;
	imds: Imds;
}

/** Everything about the machine that is known once its boot document is. */
export interface Claimed {
	document: BootDocument;
	reporter: Reporter;
}

export interface Shell extends Ports {
	life: Life;
	moments: Moments;
	passages: Passage[];
	identity: Identity | null;
	mailbox: Mailbox | null;
	claimed: Claimed | null;
	hook: Hook | null;
	/** Whether the boot document is gone. */
	removed: PromiseWithResolvers<boolean>;
	runner: RunnerProcess | null;
	runnerVersion: string | null;
	/** Where the runner is: the image's, unless it was exchanged. */
	runnerRoot: string;
	/** Whom the runner runs as; null: the agent's own user, or not known yet. */
	account: Account | null;
	/** Whether everything that outlives the machine was left, as far as that was begun. */
	left: Promise<void>;
	/** Aborted when the machine goes off: nothing new is begun. */
	over: AbortController;
	/** Tells the life what happened and does what follows. */
	dispatch(event: Event): void;
}

/** Where the runner writes its counters. */
export const perfFolder = ({ config }: Pick<Shell, "config">) => join(config.stateDir, "perf");

export function measurementsOf(shell: Shell): Measurements {
	const { claimed, identity, build, moments } = shell;
	const telemetry = claimed && identity ? telemetryOf(claimed.document, identity, build) : {};
	const counted = moments.listening === undefined ? {} : readPerf(perfFolder(shell));
	return { ...telemetry, ...timingsOf(moments), ...counted };
}

/** A machine that was not told whom to report to reports to nobody. */
export function sendReport(shell: Shell, phase: ReportPhase, reason: string | null, more: Measurements): void {
	const { claimed, now, log } = shell;
	log.info({ phase, reason, ...more }, "report");
	if (claimed === null) return;
	const { instanceId, jobId } = claimed.document;
	const measurements = { ...measurementsOf(shell), ...more };
	claimed.reporter.send({ instanceId, jobId, phase, at: now(), reason: reason?.slice(0, 2000) ?? null, measurements });
}
