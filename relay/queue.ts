// The ledger's rows, in and out. Knows SQL and records, decides nothing. Runs on a Durable Object's SQLite and on any other.
import type { Change, JobState } from "../contract/job.ts";
import type { Intent, LeaseAnswer } from "../contract/lease.ts";
import type { Start } from "../contract/start.ts";
import type { Switches } from "../contract/switches.ts";
import type { Bucket } from "./budgets.ts";
import { isEnded, type Job } from "./job.ts";
import { createOpenJobs, type OpenJobs } from "./open-jobs.ts";
import { SCHEMA, STATEMENTS } from "./statements.ts";
import type { Claim } from "./swaps.ts";
import type { Task } from "./tasks.ts";

export type SqlValue = string | number | null;
/** All that is asked of a database: run one statement, give all its rows. The caller opens the transaction. */
export type Sql = (statement: string, ...values: SqlValue[]) => Record<string, unknown>[];

export interface Budgets {
	jit: Bucket;
	ec2: Bucket;
}
export interface Counters {
	deliveries: number;
	duplicates: number;
}
/** What a lease handed out, with what was left and counted by then: one row for each lease. */
export interface Leased {
	request: string;
	at: number;
	/** Without the intents, of which many items share one. */
	answer: LeaseAnswer;
	/** Token of each item's intent. */
	tokens: (string | null)[];
	budgets: Budgets;
	counters: Counters;
}
interface Settings {
	switches: Switches;
	[lease: `lease-${number}`]: Leased;
}
/** A job that entered a state, for the log. */
export interface Entered extends Change {
	job: number;
	run: number;
	repository: string;
	instance: string | null;
}

export type Queue = ReturnType<typeof openQueue>;

/** Opens the queue on a database, creating what is missing. After a transaction that was rolled back it must be opened anew. */
export function openQueue(sql: Sql) {
	for (const statement of SCHEMA) sql(statement);
	const jobs = jobRows(sql);
	const settings = settingRows(sql);
	return { ...jobs, ...taskRows(sql), ...intentRows(sql), ...startRows(sql), ...settings, ...leaseRows(settings, jobs.open) };
}

function docs<T>(rows: Record<string, unknown>[]): T[] {
	return rows.map(({ doc }) => JSON.parse(String(doc)) as T);
}
function numberOf(rows: Record<string, unknown>[], column: string): number | null {
	const value = rows[0]?.[column];
	return typeof value === "number" ? value : null;
}

function jobRows(sql: Sql) {
	// A record whose history is none of these has entered a state: every change of state makes a new array.
	const written = new WeakSet<Change[]>();
	let entered: Entered[] = [];
	const read = (rows: Record<string, unknown>[]): Job[] => {
		const jobs = docs<Job>(rows);
		for (const { history } of jobs) written.add(history);
		return jobs;
	};
	const open = createOpenJobs(read(sql(STATEMENTS.openJobs)));
	const one = (statement: string, key: SqlValue): Job | null => read(sql(statement, key))[0] ?? null;
	const holder = (seat: string): Job | null => open.seated(seat) ?? one(STATEMENTS.jobBySeat, seat);
	const newest = { done: STATEMENTS.newestDone, refused: STATEMENTS.newestRefused, dead: STATEMENTS.newestDead };
	return {
		open,
		job: (id: number): Job | null => open.get(id) ?? one(STATEMENTS.jobById, id),
		/** The job seated on a machine. */
		holder,
		/** Who claims a machine, or the machine that a launch will bring. */
		claim: (seat: string): Claim => ({ seated: holder(seat), kept: open.keeping(seat) ?? one(STATEMENTS.jobBySpare, seat) }),
		saveJob(job: Job): void {
			const { id } = job.pointer;
			const columns = isEnded(job) ? [job.state, job.seat?.key ?? null, job.spare?.key ?? null] : [null, null, null];
			const doc = JSON.stringify(job);
			if (sql(STATEMENTS.saveDoc, doc, id, ...columns).length === 0) sql(STATEMENTS.saveJob, id, ...columns, doc);
			open.put(job);
			const newest = job.history.at(-1);
			if (written.has(job.history) || !newest) return;
			written.add(job.history);
			const { runId, repository } = job.pointer;
			entered.push({ ...newest, job: id, run: runId, repository, instance: job.seat?.machine?.instanceId ?? null });
		},
		/** The changes of state since this was last asked. */
		takeEntered(): Entered[] {
			const taken = entered;
			entered = [];
			return taken;
		},
		/** Newest first, of one state or of all. */
		listJobs(state: JobState | null, limit: number): Job[] {
			if (state === null) return read(sql(STATEMENTS.newestJobs, limit));
			if (state === "done" || state === "refused" || state === "dead") return read(sql(newest[state], limit));
			const all = open.all().filter((job) => job.state === state);
			return all.slice(0, limit);
		},
		/** The jobs after an id, in the order of their ids. */
		jobsAfter: (id: number, limit: number): Job[] => read(sql(STATEMENTS.jobsAfter, id, limit)),
		dropJob: (id: number): void => void sql(STATEMENTS.dropJob, id),
	};
}

function taskRows(sql: Sql) {
	return {
		task: (id: string): Task | null => docs<Task>(sql(STATEMENTS.task, id))[0] ?? null,
		saveTask: (task: Task): void => void sql(STATEMENTS.saveTask, task.workId, task.dueAt, JSON.stringify(task)),
		dropTask: (id: string): void => void sql(STATEMENTS.dropTask, id),
		dueTasks: (now: number, limit: number): Task[] => docs(sql(STATEMENTS.dueTasks, now, limit)),
		nextTask: (): number | null => numberOf(sql(STATEMENTS.nextTask), "at"),
		reruns: (limit: number): Task[] => docs(sql(STATEMENTS.reruns, limit)),
	};
}

function intentRows(sql: Sql) {
	return {
		intent: (token: string | null): Intent | null => (token === null ? null : (docs<Intent>(sql(STATEMENTS.intent, token))[0] ?? null)),
		/** Written once: a token stands for one request for ever. */
		saveIntent: (intent: Intent, now: number): void => void sql(STATEMENTS.saveIntent, intent.token, now, JSON.stringify(intent)),
		/** Tokens after one, in their order, with when each was written. */
		intentsAfter: (token: string, limit: number): { token: string; at: number }[] =>
			sql(STATEMENTS.intentsAfter, token, limit).map((row) => ({ token: String(row.token), at: Number(row.at) })),
		dropIntent: (token: string): void => void sql(STATEMENTS.dropIntent, token),
	};
}

function startRows(sql: Sql) {
	const seqs = (rows: Record<string, unknown>[]) => rows.map((row) => ({ seq: Number(row.seq), at: Number(row.at) }));
	return {
		/** Appends: a start is never changed. */
		saveStart: (start: Start): void => void sql(STATEMENTS.saveStart, start.at, start.queueMs, JSON.stringify(start)),
		/** Newest first. */
		starts: (limit: number): Start[] => docs(sql(STATEMENTS.newestStarts, limit)),
		/** How many starts there were, ever. */
		started: (): number => numberOf(sql(STATEMENTS.lastStart), "seq") ?? 0,
		/** Milliseconds from webhook to first step of the newest starts. */
		queueTimes: (limit: number): number[] => sql(STATEMENTS.queueTimes, limit).map(({ ms }) => Number(ms)),
		oldestStarts: (limit: number) => seqs(sql(STATEMENTS.oldestStarts, limit)),
		dropStart: (seq: number): void => void sql(STATEMENTS.dropStart, seq),
	};
}

function settingRows(sql: Sql) {
	return {
		setting: <N extends keyof Settings>(name: N): Settings[N] | null => docs<Settings[N]>(sql(STATEMENTS.setting, name))[0] ?? null,
		saveSetting: <N extends keyof Settings>(name: N, value: Settings[N]): void =>
			void sql(STATEMENTS.saveSetting, name, JSON.stringify(value)),
	};
}

/** The answers of this many leases are kept, each row written over in its turn. */
const SLOTS = 16;
const ALL_DELIVERIES = 10_000;

/** The newest leases with the budgets and counters as of them. What was counted after the newest is in memory, and counted again from the open jobs. */
function leaseRows({ setting, saveSetting }: ReturnType<typeof settingRows>, open: OpenJobs) {
	const leases = Array.from({ length: SLOTS }, (_, slot) => setting(`lease-${slot}`));
	let last = leases.reduce((newest, lease, slot) => ((lease?.at ?? 0) > (leases[newest]?.at ?? 0) ? slot : newest), 0);
	const newest = leases[last];
	const later = open.all().filter(({ receivedAt }) => receivedAt > (newest?.at ?? 0));
	const counters: Counters = { deliveries: 0, duplicates: 0, ...newest?.counters };
	counters.deliveries += later.reduce((sum, { deliveries }) => sum + deliveries.length, 0);
	const recent = new Set<string>();
	return {
		counters,
		budgets: (): Budgets | null => leases[last]?.budgets ?? null,
		lastLeaseAt: (): number => leases[last]?.at ?? 0,
		/** What was handed out to a request after a moment. */
		leased: (request: string, after: number): Leased | null =>
			leases.find((lease) => lease?.request === request && lease.at > after) ?? null,
		saveLeased(lease: Omit<Leased, "counters">): void {
			// Later than the one before, even within a millisecond: a restart knows the newest by it.
			const at = Math.max(lease.at, (leases[last]?.at ?? 0) + 1);
			last = (last + 1) % SLOTS;
			leases[last] = { ...lease, at, counters: { ...counters } };
			saveSetting(`lease-${last}`, leases[last] as Leased);
		},
		/** After the clock was set back: the leases become as old as they were, so that budgets refill, answers age and the newest stays the newest. */
		setLeasesBack(by: number, now: number): void {
			if ((leases[last]?.at ?? 0) <= now) return;
			for (const [slot, lease] of leases.entries()) {
				if (!lease) continue;
				const { jit, ec2 } = lease.budgets;
				const budgets = { jit: { ...jit, at: jit.at - by }, ec2: { ...ec2, at: ec2.at - by } };
				leases[slot] = { ...lease, at: lease.at - by, budgets };
				saveSetting(`lease-${slot}`, leases[slot]);
			}
		},
		/** Whether a delivery was among the newest of all. Each job remembers its own for as long as it is kept. */
		isRecent: (delivery: string): boolean => recent.has(delivery),
		remember(delivery: string): void {
			if (recent.size >= ALL_DELIVERIES) recent.clear();
			recent.add(delivery);
		},
	};
}
