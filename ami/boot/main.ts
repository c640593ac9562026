// `bun run image boot`: boots an image once, says what it did and whether it did as it must.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FAULTS, type FaultName } from "./faults.ts";
import { readImage } from "./image-facts.ts";
import { judge, type Verdict } from "./judge.ts";
import { accelerationHere } from "./qemu.ts";
import { runScene, type Seen } from "./scene.ts";

export interface BootOptions {
	image: string;
	fault: FaultName | null;
	direct: boolean;
	keep: boolean;
}

const seconds = (ms: number | null | undefined) => (typeof ms === "number" ? `${(ms / 1000).toFixed(1)} s` : "never");

function shown(seen: Seen, { problems, checks }: Verdict): string {
	const { machine, record, reason, conclusion } = seen;
	const { asked, claimed, offAfterMs, shutdown } = machine;
	const read = asked?.disk ? `${asked.disk.reads} reads, ${(asked.disk.bytes / 2 ** 20).toFixed(1)} MiB` : "not known";
	return [
		...checks,
		`IMDS asked after ${seconds(asked?.at)} (${read}), document claimed after ${seconds(claimed?.at)}, off after ${seconds(offAfterMs)}`,
		`timings of its own: ${record === null ? "none" : JSON.stringify(record.measurements)}`,
		`job: ${conclusion ?? "no end"}; off by ${shutdown ?? "force"}; EC2: ${reason}`,
		...problems.map((problem) => `not ok: ${problem}`),
		problems.length === 0 ? "ok" : "not ok",
	].join("\n");
}

/** Gives the exit status. */
export async function boot({ image: file, fault, direct, keep }: BootOptions, json: boolean, signal: AbortSignal): Promise<number> {
	const image = await readImage(file);
	const folder = await mkdtemp(join(tmpdir(), "mfi-"));
	const say = (text: string) => void (json || process.stderr.write(`${text}\n`));
	try {
		say(`${accelerationHere()}${direct ? "" : ", with firmware"}${fault === null ? "" : `: ${FAULTS[fault].says}`}`);
		const seen = await runScene({ image, fault, direct, folder, signal, say });
		const verdict = judge(fault, seen);
		process.stdout.write(`${json ? JSON.stringify({ ok: verdict.problems.length === 0, ...verdict, ...seen }) : shown(seen, verdict)}\n`);
		return verdict.problems.length === 0 ? 0 : 1;
	} finally {
		if (keep) say(`logs are in ${folder}`);
		else await rm(folder, { recursive: true, force: true });
	}
}
