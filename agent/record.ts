// The record that a machine leaves in the mailbox: what it was, what it went through, why it went off. Pure.
import type { BootDocument } from "../contract/boot.ts";
import type { Measurements } from "../contract/report.ts";
import type { Stage } from "./life-state.ts";

/** A stage of the life and when it was reached (epoch ms). */
export interface Passage {
	stage: Stage;
	at: number;
}

export interface MachineRecord {
	version: 1;
	instanceId: string;
	jobId: number;
	runId: number;
	repository: string;
	runnerName: string;
	reason: string;
	passages: Passage[];
	measurements: Measurements;
}

export function recordOf(document: BootDocument, reason: string, passages: Passage[], measurements: Measurements): MachineRecord {
	const { instanceId, jobId, grant, runnerName } = document;
	return { version: 1, instanceId, jobId, runId: grant.runId, repository: grant.repository, runnerName, reason, passages, measurements };
}
