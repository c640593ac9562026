// Watches IMDS for the notice that EC2 takes a spot machine back, and for the earlier recommendation to leave it (FACTS 4.5).
import type { Imds } from "./imds.ts";
import type { Log } from "./log.ts";

export interface WatchPorts {
	imds: Imds;
	log: Log;
	pollMs: number;
	onNotice: (terminateAt: number) => void;
	onRebalance: (rebalanceAt: number) => void;
	over: AbortSignal;
}

/** Null as well if it could not be read: the next look is soon. */
async function look(read: () => Promise<number | null>, log: Log): Promise<number | null> {
	try {
		return await read();
	} catch (error) {
		log.warn({ error: String(error) }, "IMDS cannot be asked for notices");
		return null;
	}
}

/** Only spot machines are taken back; one of which that cannot be learned is watched. */
async function mayBeTaken({ imds, log }: WatchPorts): Promise<boolean> {
	try {
		return await imds.isSpot();
	} catch (error) {
		log.warn({ error: String(error) }, "the machine's life cycle is unknown");
		return true;
	}
}

/** Resolves after the notice, or when it is over. */
export async function watchNotices(ports: WatchPorts): Promise<void> {
	const { imds, log, pollMs, onNotice, onRebalance, over } = ports;
	if (!(await mayBeTaken(ports))) return;
	let recommended = false;
	while (!over.aborted) {
		const terminateAt = await look(imds.terminateAt, log);
		if (terminateAt !== null) return onNotice(terminateAt);
		const rebalanceAt: number | null = recommended ? null : await look(imds.rebalanceAt, log);
		if (rebalanceAt !== null) onRebalance(rebalanceAt);
		recommended ||= rebalanceAt !== null;
		await Bun.sleep(pollMs);
	}
}
