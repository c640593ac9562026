// When the machine reached what, and the durations that follow: the boot timings of every report (DESIGN 9). Pure.
import type { BootDocument } from "../contract/boot.ts";
import type { Measurements } from "../contract/report.ts";
import type { Identity } from "./imds.ts";

/** Epoch milliseconds. */
export interface Moments {
	/** The agent's process. */
	started: number;
	/** The kernel, where it tells. */
	kernel?: number;
	identified?: number;
	claimed?: number;
	/** Another runner than the image's was there. */
	exchanged?: number;
	launched?: number;
	listening?: number;
	running?: number;
	exited?: number;
	rebalance?: number;
	noticed?: number;
}

export interface Build {
	version: string;
	arch: string;
}

/** From `/proc/uptime`: when the kernel started (epoch ms). Undefined for a text of another form. */
export function kernelStart(uptime: string, now: number): number | undefined {
	const seconds = Number.parseFloat(uptime);
	return Number.isFinite(seconds) ? now - seconds * 1000 : undefined;
}

/** Milliseconds between two moments; nothing if one is not known. */
function span(name: string, from: number | undefined, to: number | undefined): Measurements {
	return from === undefined || to === undefined ? {} : { [name]: Math.round((to - from) * 10) / 10 };
}

/** `bootMs`: kernel to agent; `imdsMs`: agent to identity; `claimMs`: identity to boot document; `exchangeMs`: to another runner than the image's; `launchMs`: document to the runner's start; then to listening and to the job. */
export function timingsOf(moments: Moments): Measurements {
	const { kernel, started, identified, claimed, exchanged, launched, listening, running, exited } = moments;
	return {
		...span("bootMs", kernel, started),
		...span("imdsMs", started, identified),
		...span("claimMs", identified, claimed),
		...span("exchangeMs", claimed, exchanged),
		...span("launchMs", exchanged ?? claimed, launched),
		...span("listeningMs", launched, listening),
		...span("jobWaitMs", listening, running),
		...span("jobMs", running, exited),
		...(moments.rebalance === undefined ? {} : { rebalanceAt: moments.rebalance }),
		...(moments.noticed === undefined ? {} : { noticeAt: moments.noticed }),
	};
}

/** What every report says of the machine: for the operator's statistics, from their own machines to their own relay. */
export function telemetryOf(document: BootDocument, identity: Identity, { version, arch }: Build): Measurements {
	const { instanceType, region, availabilityZone: zone } = identity;
	return { org: document.grant.repository.split("/")[0] ?? null, version, arch, instanceType, region, zone };
}
