// Waits for this machine's boot document and checks that it is for this machine.
import { type BootDocument, parseBootDocument } from "../contract/boot.ts";
import type { Clocks } from "./clocks.ts";
import { jitFactsOf } from "./jit.ts";
import type { Log } from "./log.ts";
import type { Mailbox } from "./mailbox.ts";

export type Claim = { ok: true; document: BootDocument } | { ok: false; reason: string; document: BootDocument | null };

/** Reads a boot document's text. Nothing is said to anybody in the name of a document that is another machine's. Pure. */
export function readClaim(text: string, instanceId: string): Claim {
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch {
		return { ok: false, reason: "the boot document is not JSON", document: null };
	}
	const parsed = parseBootDocument(json);
	if (!parsed.ok) return { ok: false, reason: `the boot document was refused: ${parsed.reason}`, document: null };
	const document = parsed.value;
	if (document.instanceId !== instanceId)
		return { ok: false, reason: `the boot document is for ${document.instanceId}, not for this machine`, document: null };
	const { name, ephemeral } = jitFactsOf(document.jitConfig);
	if (name !== null && name !== document.runnerName)
		return { ok: false, reason: `the JIT configuration is of the runner ${name}, not of ${document.runnerName}`, document };
	if (ephemeral === false) return { ok: false, reason: `the runner ${document.runnerName} would take more than one job`, document };
	return { ok: true, document };
}

export interface ClaimPorts {
	mailbox: Mailbox;
	clocks: Clocks;
	now: () => number;
	log: Log;
	/** Aborted when the life no longer waits. */
	over: AbortSignal;
}

/** Asks until there is a document; null if the wait was over first. Whatever the mailbox answers may be otherwise at the next try. */
export async function awaitDocument({ mailbox, clocks, now, log, over }: ClaimPorts): Promise<string | null> {
	const slowFrom = now() + clocks.pollFastFor;
	let complained = false;
	while (!over.aborted) {
		try {
			const text = await mailbox.read();
			if (text !== null) return text;
		} catch (error) {
			if (!complained) log.warn({ error: String(error) }, "the mailbox cannot be asked");
			complained = true;
		}
		await Bun.sleep(now() < slowFrom ? clocks.pollFast : clocks.pollSlow);
	}
	return null;
}

const REMOVE_AGAIN_MS = 500;

/** Deletes the document, again and again until it is gone. Resolves then; never rejects. */
export async function removeDocument({ mailbox, log, over }: Pick<ClaimPorts, "mailbox" | "log" | "over">): Promise<boolean> {
	for (let attempt = 1; !over.aborted; attempt += 1) {
		try {
			await mailbox.remove();
			return true;
		} catch (error) {
			if (attempt === 1) log.warn({ error: String(error) }, "the boot document cannot be deleted yet");
		}
		await Bun.sleep(REMOVE_AGAIN_MS);
	}
	return false;
}
