// Leaves what is known of the machine in the mailbox, where it outlives the machine: its record, the agent's log, the runner's own logs.
import { archiveDiagnostics } from "./diagnostics.ts";
import { recordOf } from "./record.ts";
import { measurementsOf, type Shell } from "./shell.ts";

async function put({ mailbox, claimed, log }: Shell, suffix: string, body: string | Uint8Array): Promise<void> {
	if (mailbox === null || claimed === null) return;
	const url = claimed.document.recordUrl.replace(/\.json$/, suffix);
	await mailbox.leave(url, body).catch((error) => log.warn({ error: String(error), suffix }, "no record was left"));
}

/** The record as it stands, and the log so far; a later one takes its place. */
export async function leaveRecord(shell: Shell, reason: string): Promise<void> {
	const { claimed, passages, log } = shell;
	if (claimed === null) return;
	await log.load();
	const record = recordOf(claimed.document, reason, passages, measurementsOf(shell));
	await Promise.all([put(shell, ".json", JSON.stringify(record)), put(shell, ".log", log.text())]);
}

/** When the runner has ended, while the machine lingers: on an interruption there may be no later moment. */
export async function leaveAll(shell: Shell): Promise<void> {
	const archive = archiveDiagnostics(shell.runnerRoot, shell.account);
	await leaveRecord(shell, shell.life.why);
	const diagnostics = await archive;
	if (diagnostics !== null) await put(shell, ".diag.tar.gz", diagnostics);
}
