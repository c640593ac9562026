// Webhooks a second, at some numbers of senders: every subject in every round, so that a noisy minute meets all of them.
import { join } from "node:path";
import { median } from "../statistics.ts";
import type { Load, Measured } from "./load.ts";
import { cpuOf, type Running, SUBJECTS, type Subject, startSubject } from "./subjects.ts";

export const SENDERS = [1, 8, 32] as const;

export interface Throughput {
	subject: Subject;
	senders: number;
	perSecond: number;
	p50: number;
	p99: number;
	/** Processor time of workerd for each request, in milliseconds. */
	cpu: number;
}

export async function load(job: Load): Promise<Measured> {
	const child = Bun.spawn([process.execPath, join(import.meta.dir, "load.ts"), JSON.stringify(job)], { stdout: "pipe", stderr: "inherit" });
	const text = await new Response(child.stdout).text();
	if ((await child.exited) !== 0) throw new Error("the senders failed");
	return JSON.parse(text) as Measured;
}

const EXPECTED: Record<Subject, string> = { bare: "200", signature: "200", object: "202", relay: "202" };

async function measure(subject: Subject, running: Running, job: Omit<Load, "port">): Promise<Throughput> {
	const before = await cpuOf(running.pid);
	const { perSecond, p50, p99, statuses } = await load({ port: running.port, ...job });
	const cpu = ((await cpuOf(running.pid)) - before) / job.count;
	if (statuses[EXPECTED[subject]] !== job.count) throw new Error(`${subject} answered ${JSON.stringify(statuses)}`);
	return { subject, senders: job.senders, perSecond, p50, p99, cpu };
}

/** The median of each figure over the rounds. Storage is fresh in each round. */
export async function throughput(folder: string, rounds: number, count: number, say: (text: string) => void): Promise<Throughput[]> {
	const all: Throughput[] = [];
	for (let round = 1; round <= rounds; round++) {
		for (const subject of round % 2 ? SUBJECTS : SUBJECTS.toReversed()) {
			const running = await startSubject(subject, folder);
			try {
				await load({ port: running.port, senders: 8, first: 1, count: Math.min(200, count) });
				for (const [at, senders] of SENDERS.entries())
					all.push(
						await measure(subject, running, { senders, first: (at + 1) * 1_000_000, count: senders === 1 ? Math.ceil(count / 4) : count }),
					);
			} finally {
				await running.stop();
			}
		}
		say(`round ${round} of ${rounds}`);
	}
	return SUBJECTS.flatMap((subject) =>
		SENDERS.map((senders) => {
			const mine = all.filter((it) => it.subject === subject && it.senders === senders);
			const of = (figure: "perSecond" | "p50" | "p99" | "cpu") => median(mine.map((it) => it[figure]));
			return { subject, senders, perSecond: of("perSecond"), p50: of("p50"), p99: of("p99"), cpu: of("cpu") };
		}),
	);
}
