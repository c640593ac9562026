// Finds jobs whose webhooks were lost without a trace: asks GitHub which runs of active repositories are open, a few at a time, and tells the
// relay of jobs that have waited for longer than a webhook takes. It takes in those that it does not know (DESIGN 5).
import * as v from "valibot";
import type { ResolvedConfig } from "../contract/config.ts";
import { Labels } from "../contract/job.ts";
import { type LabelReading, resolveLabels } from "../contract/label.ts";
import type { ActiveRepository, JobFact } from "../contract/observe.ts";
import { alone } from "./alone.ts";
import { PAGE, type Ports, type Run, type RunJob } from "./ports.ts";

/** A webhook has had its time by then. */
const YOUNG_MS = 60_000;
/** Calls for one look, each page counted: with some 63 looks an hour less than a fifth of GitHub's 5,000 (DESIGN 5, docs/decisions/0008). */
const CALLS = 15;
/** The relay takes so many jobs at once (contract/observe.ts): while a burst waits for its turn there are more. */
const MOST_TOLD = 1000;
/** Two lists of runs for each repository. */
const LISTS = 2;

/** Where the next look goes on, so that every repository and every run has its turn. */
export interface Rounds {
	repository: number;
	run: number;
	/** Calls of the last look beyond its share: how many jobs a run has is known when they are read. */
	owed: number;
}

/** Where a session begins: about where the one before it stopped, so that its looks come around to every repository. Pure. */
export function roundsAt(now: number, everyMs: number): Rounds {
	return { repository: Math.floor(now / everyMs) * Math.floor(CALLS / (2 * LISTS)), run: 0, owed: 0 };
}

/** As many of a list as there is room for, from a place on and around its end; and the next place. Pure. */
export function nextOf<T>(all: readonly T[], from: number, most: number): { taken: T[]; next: number } {
	const count = Math.min(all.length, Math.max(0, most));
	const taken = Array.from({ length: count }, (_, at) => all[(from + at) % all.length] as T);
	return { taken, next: all.length > 0 ? (from + count) % all.length : 0 };
}

/** The label sets that were read last: jobs of one run mostly ask for the same, and those that nothing serves are seen in every look. */
const MOST_READ = 500;
const readings = new WeakMap<ResolvedConfig, Map<string, boolean>>();

/** One that asks wrongly is as well: its refusal is for somebody to read. */
const isMeantForUs = (reading: LabelReading) => reading.ok || reading.ours;

function isForUs(labels: readonly string[], config: ResolvedConfig): boolean {
	const known = readings.get(config) ?? new Map<string, boolean>();
	readings.set(config, known);
	const key = labels.join("\n");
	const before = known.get(key);
	if (before !== undefined) return before;
	if (known.size >= MOST_READ) known.clear();
	// What the relay would not carry it refuses, and the whole look with it.
	const isOurs = v.is(Labels, labels) && isMeantForUs(resolveLabels(labels, config));
	known.set(key, isOurs);
	return isOurs;
}

/** Jobs of a run that wait for machines of ours, or for the reason why they get none, and have waited for some time. Pure. */
export function overdue(run: Run, jobs: readonly RunJob[], installationId: number | null, ports: Pick<Ports, "config" | "now">): JobFact[] {
	const waiting = jobs.filter(({ status, createdAt }) => status === "queued" && ports.now() - createdAt > YOUNG_MS);
	// Jobs of one run mostly ask for the same.
	return waiting
		.filter(({ labels }) => isForUs(labels, ports.config))
		.map(({ id, name, labels, createdAt }) => ({
			job: {
				...{ id, runId: run.id, attempt: run.attempt, repository: run.repository, owner: run.repository.split("/")[0] ?? "" },
				...{ installationId, labels, name: name.slice(0, 2048) },
			},
			...{ status: "queued" as const, conclusion: null, runnerName: null, createdAt },
		}));
}

/** One look. Gives where the next one goes on. */
export async function discover(ports: Ports, active: readonly ActiveRepository[], rounds: Rounds): Promise<Rounds> {
	const calls = CALLS - rounds.owed;
	const { taken, next } = nextOf(active, rounds.repository, Math.floor(calls / (2 * LISTS)));
	const lists = await Promise.all(
		taken.map(async (at) => {
			const open = await alone(ports, at.repository, () => ports.github.openRuns(at), []);
			return open.map((run) => ({ at, run }));
		}),
	);
	const open = lists.flat();
	let left = calls - LISTS * taken.length;
	let read = 0;
	const jobs: JobFact[] = [];
	for (const { at, run } of nextOf(open, rounds.run, open.length).taken) {
		if (left <= 0) break;
		const found = (await alone(ports, at.repository, () => ports.github.attemptJobs(at, run.id, run.attempt), null)) ?? [];
		left -= Math.max(1, Math.ceil(found.length / PAGE));
		read += 1;
		jobs.push(...overdue(run, found, at.installationId, ports));
	}
	for (const { job } of jobs) ports.log.debug({ jobId: job.id, runId: job.runId, repository: job.repository }, "waits for long");
	for (let at = 0; at < jobs.length; at += MOST_TOLD)
		await ports.relay.observe({ jobs: jobs.slice(at, at + MOST_TOLD), runs: [], machines: [], complete: false });
	return { repository: next, run: nextOf(open, rounds.run, read).next, owed: Math.max(0, -left) };
}
