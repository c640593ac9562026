// `bun run bench relay`: the built relay in raw workerd beside workers that do less, so that every figure has its floor next to it.
import type { Report } from "../report.ts";
import type { Bar } from "../statistics.ts";
import { type History, history } from "./history.ts";
import { type Leased, leased } from "./leased.ts";
import { type Subject, temporaryFolder } from "./subjects.ts";
import { medians, SENDERS, type Throughput, throughput } from "./throughput.ts";
import { turnover } from "./turnover.ts";

export interface RelayBench {
	rounds: number;
	/** Webhooks for each number of senders in a round. */
	requests: number;
	/** Ended jobs in the rows of the larger history. */
	rows: number;
}

/** Webhooks in a round of the lease's latency: two launches each, of the 110 that the relay hands out in a minute. */
const LATENCIES = 45;
const LEASES = 100;
const TURNOVER = 1000;
const FEW = 1000;
const MOST = Math.max(...SENDERS);

const NAMES: Record<Subject, string> = {
	bare: "(a) bare hono worker",
	signature: "(b) body and signature",
	object: "(d) /webhook, object writes nothing",
	relay: "(c) /webhook",
};

function figureOf(all: readonly Throughput[], subject: Subject, senders: number = MOST): Throughput {
	const found = all.find((it) => it.subject === subject && it.senders === senders);
	if (!found) throw new Error(`${subject} was not measured with ${senders} senders`);
	return found;
}

/** Ratios within one round say more than ratios of medians: a noisy round is noisy for both. */
function ratios(rounds: readonly Throughput[][], subject: Subject, to: Subject): number[] {
	return rounds.map((round) => figureOf(round, subject).perSecond / figureOf(round, to).perSecond);
}

function middle(values: readonly number[]): number {
	return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function barsOf(rounds: readonly Throughput[][], all: readonly Throughput[], wait: Leased, [few, many]: readonly History[]): Bar[] {
	return [
		{ name: `webhooks a second, (c)/(a), ${MOST} senders`, value: middle(ratios(rounds, "relay", "bare")), bound: 0.22, least: true },
		{ name: `webhooks a second, (c)/(d), ${MOST} senders`, value: middle(ratios(rounds, "relay", "object")), bound: 0.7, least: true },
		{ name: "webhook to lease / webhook, p50", value: wait.leasedP50 / wait.webhookP50, bound: 1.3, least: false },
		{ name: "lease, most rows / few rows, p50", value: (many?.leaseP50 ?? 0) / (few?.leaseP50 ?? 0), bound: 1.5, least: false },
		{ name: `CPU of a webhook, ms, ${MOST} senders`, value: figureOf(all, "relay").cpu, bound: 2, least: false },
	];
}

function shares(all: readonly Throughput[]): string[][] {
	const cpu = (subject: Subject) => figureOf(all, subject).cpu * 1000;
	const steps: [string, number][] = [
		["HTTP in workerd, hono, the answer: the floor", cpu("bare")],
		["body, signature", cpu("signature") - cpu("bare")],
		["JSON, projection, call of the object", cpu("object") - cpu("signature")],
		["ledger, rows, commit, log", cpu("relay") - cpu("object")],
	];
	return steps.map(([name, us]) => [name, us.toFixed(0), `${((100 * us) / cpu("relay")).toFixed(0)}%`]);
}

function notesOf(all: readonly Throughput[]): string[] {
	const us = (subject: Subject) => (figureOf(all, subject).cpu * 1000).toFixed(0);
	return [
		`The floor is (a), ${us("bare")} us of CPU: workerd reads HTTP, hono routes, an answer leaves. (b) adds what every receiver of signed webhooks must do.`,
		"(d) adds what has to be said to the object: JSON of 10 KB, the projection, and a call by workerd's RPC, the largest part of it.",
		"(c) adds the ledger and SQLite. With 32 senders many webhooks share one commit; with one sender each waits for its own, and for a turn of the event loop.",
	];
}

/** Measures everything in one run. `say` is told of progress. */
export async function benchRelay({ rounds, requests, rows }: RelayBench, say: (text: string) => void): Promise<Report> {
	await using folder = await temporaryFolder();
	const measured = await throughput(folder.path, rounds, requests, say);
	const all = medians(measured);
	const wait = await leased(folder.path, rounds, LATENCIES, say);
	const turnoverMs = await turnover(folder.path, rounds, TURNOVER, say);
	const histories = await history(folder.path, [FEW, rows], LEASES, say);
	const ms = (value: number) => value.toFixed(2);
	return {
		name: "relay",
		figures: {
			rounds,
			requests,
			throughput: all,
			ratios: { bare: ratios(measured, "relay", "bare"), object: ratios(measured, "relay", "object") },
			wait,
			turnoverMs,
			histories,
		},
		tables: [
			{
				title: "POST /webhook, medians of the rounds",
				head: ["", "senders", "requests/s", "p50 ms", "p99 ms", "CPU ms"],
				rows: all.map((it) => [NAMES[it.subject], String(it.senders), it.perSecond.toFixed(0), ms(it.p50), ms(it.p99), it.cpu.toFixed(3)]),
			},
			{ title: `Where the CPU of a webhook goes, ${MOST} senders`, head: ["", "us", ""], rows: shares(all) },
			{
				title: "Poller",
				head: ["", "ms"],
				rows: [
					["webhook, one sender, p50", ms(wait.webhookP50)],
					["webhook to lease of a waiting poller, p50", ms(wait.leasedP50)],
					["webhook to lease of a waiting poller, p99", ms(wait.leasedP99)],
					[`lease and settle of ${TURNOVER} jobs (lease, intent, machine)`, ms(turnoverMs)],
					...histories.map((it): [string, string] => [`lease with ${it.rows} ended jobs, p50`, ms(it.leaseP50)]),
				],
			},
		],
		bars: barsOf(measured, all, wait, histories),
		notes: notesOf(all),
	};
}
