// Webhooks a second at some numbers of senders. All subjects are up at once and loaded in turns, a fraction of a second each, so that a
// noisy moment of the machine meets all of them.
import { join } from "node:path";
import { median, percentile } from "../statistics.ts";
import type { Load, Measured } from "./load.ts";
import { type Running, SUBJECTS, type Subject, startSubject } from "./subjects.ts";

export const SENDERS = [1, 8, 32] as const;
const TURNS = 4;

export interface Throughput {
	subject: Subject;
	senders: number;
	perSecond: number;
	p50: number;
	p99: number;
	/** Processor time of workerd for each request, in milliseconds. */
	cpu: number;
}

export async function load(loads: Load[]): Promise<Measured[]> {
	const child = Bun.spawn([process.execPath, join(import.meta.dir, "load.ts"), JSON.stringify(loads)], {
		stdout: "pipe",
		stderr: "pipe",
	});
	const [text, wrong] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
	if ((await child.exited) !== 0) throw new Error(`the senders failed: ${wrong}`);
	return JSON.parse(text) as Measured[];
}

const EXPECTED: Record<Subject, string> = { bare: "200", signature: "200", object: "202", relay: "202" };

/** Loads in turns: each subject with each number of senders, forth and back. */
function plan(subjects: readonly Running[], count: number): (Load & { subject: Subject })[] {
	let first = 1_000_000;
	const turns = Array.from({ length: TURNS }, (_, turn) => (turn % 2 ? subjects.toReversed() : subjects));
	return SENDERS.flatMap((senders) =>
		turns.flatMap((order) =>
			order.map(({ subject, port, pid }) => {
				const share = Math.ceil(count / TURNS / (senders === 1 ? 4 : 1));
				first += share;
				return { subject, port, pid, senders, first, count: share };
			}),
		),
	);
}

/** One round: what each subject did over all its turns. */
async function round(subjects: readonly Running[], count: number): Promise<Throughput[]> {
	await load(subjects.map(({ port, pid }) => ({ port, pid, senders: 8, first: 1, count: Math.min(300, count) })));
	const loads = plan(subjects, count);
	const measured = await load(loads);
	return subjects.flatMap(({ subject }) =>
		SENDERS.map((senders) => {
			const mine = measured.filter((_, at) => loads[at]?.subject === subject && loads[at]?.senders === senders);
			const statuses = mine.flatMap((it) => Object.keys(it.statuses));
			if (statuses.some((status) => status !== EXPECTED[subject])) throw new Error(`${subject} answered ${statuses.join(", ")}`);
			const times = mine.flatMap((it) => it.times);
			const sum = (of: (it: Measured) => number) => mine.reduce((total, it) => total + of(it), 0);
			const perSecond = times.length / (sum(({ took }) => took) / 1000);
			return {
				subject,
				senders,
				perSecond,
				p50: percentile(times, 0.5),
				p99: percentile(times, 0.99),
				cpu: sum(({ cpu }) => cpu) / times.length,
			};
		}),
	);
}

/** What each subject did in each round, with storage fresh in each: `count` requests for each number of senders, fewer for one. */
export async function throughput(folder: string, rounds: number, count: number, say: (text: string) => void): Promise<Throughput[][]> {
	const all: Throughput[][] = [];
	for (let at = 1; at <= rounds; at++) {
		const running: Running[] = [];
		try {
			for (const subject of SUBJECTS) running.push(await startSubject(subject, folder));
			all.push(await round(running, count));
		} finally {
			for (const subject of running) await subject.stop();
		}
		say(`throughput: round ${at} of ${rounds}`);
	}
	return all;
}

/** The median of each figure over the rounds. */
export function medians(rounds: readonly Throughput[][]): Throughput[] {
	const first = rounds[0] ?? [];
	return first.map(({ subject, senders }, at) => {
		const of = (figure: "perSecond" | "p50" | "p99" | "cpu") => median(rounds.map((it) => it[at]?.[figure] ?? Number.NaN));
		return { subject, senders, perSecond: of("perSecond"), p50: of("p50"), p99: of("p99"), cpu: of("cpu") };
	});
}
