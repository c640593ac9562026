// What the job's author sees folded in "Set up job": the machine and how long everything took. `.setup_info` in the runner root (FACTS 1.4).
import { chmodSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BootDocument } from "../contract/boot.ts";
import type { Identity } from "./imds.ts";
import type { Build, Moments } from "./moments.ts";

export interface SetupGroup {
	group: string;
	detail: string;
}

export interface SetupFacts {
	document: BootDocument;
	identity: Identity;
	build: Build;
	/** The runner's own word; null until it said it. */
	runnerVersion: string | null;
	/** Whom the runner runs as. */
	user: string;
	moments: Moments;
}

function table(rows: [name: string, value: string, more?: string][]): string {
	const widths = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
	return rows
		.map((row) =>
			row
				.map((cell = "", column) => cell.padEnd(widths[column] ?? 0))
				.join("  ")
				.trimEnd(),
		)
		.join("\n");
}

function machineGroup({ document, identity, build, runnerVersion, user }: SetupFacts): SetupGroup {
	const { machine } = document;
	const rows: [string, string][] = [
		["Instance", identity.instanceId],
		["Type", identity.instanceType],
		["Market", machine.market],
		["Zone", identity.availabilityZone],
		["Image", machine.image === identity.imageId ? machine.image : `${machine.image} (${identity.imageId})`],
		["Agent", `${build.version} ${build.arch}`],
	];
	if (runnerVersion !== null) rows.push(["Runner", runnerVersion]);
	if (document.sshKeys.length > 0)
		rows.push(["Connect", `ssh ${user}@${identity.privateIp}, from inside the network, with a key of the tier's`]);
	return { group: "Instance", detail: table(rows) };
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;

/** One row for each stage that was reached: how long it took, and how long ago the job was queued by then. */
function timingsGroup({ document, moments }: SetupFacts): SetupGroup {
	const { queuedAt, receivedAt, leasedAt, launchedAt } = document.timestamps;
	const stages: [name: string, at: number | undefined][] = [
		["webhook received", receivedAt],
		["leased by the poller", leasedAt],
		["instance launched", launchedAt],
		["kernel started", moments.kernel],
		["agent started", moments.started],
		["boot document claimed", moments.claimed],
		["runner exchanged", moments.exchanged],
		["runner started", moments.launched],
		["runner listening", moments.listening],
	];
	const rows: [string, string, string][] = [["Stage", "took", "since queued"]];
	let before = queuedAt;
	for (const [name, at] of stages) {
		if (at === undefined) continue;
		rows.push([name, seconds(at - before), seconds(at - queuedAt)]);
		before = at;
	}
	return { group: "Timings", detail: table(rows) };
}

/** The groups as the runner reads them. Pure. */
export function setupGroups(facts: SetupFacts): SetupGroup[] {
	return [machineGroup(facts), timingsGroup(facts)];
}

/** Writes them in one go: the runner may read at any time. Throws if the root cannot be written. */
export function writeSetupInfo(runnerRoot: string, groups: SetupGroup[]): void {
	const file = join(runnerRoot, ".setup_info");
	rmSync(`${file}.new`, { force: true });
	writeFileSync(`${file}.new`, JSON.stringify(groups));
	chmodSync(`${file}.new`, 0o644);
	renameSync(`${file}.new`, file);
}
