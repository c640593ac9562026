// The ledger's rows, in and out. Knows SQL and records, decides nothing. Runs on a Durable Object's SQLite and on any other.
import type { JobState } from "../contract/job.ts";
import type { Intent } from "../contract/lease.ts";
import type { Switches } from "../contract/switches.ts";
import type { Bucket } from "./budgets.ts";
import { isEnded, type Job } from "./job.ts";
import { SCHEMA, STATEMENTS } from "./statements.ts";
import type { Claim } from "./swaps.ts";
import type { Task } from "./tasks.ts";

export type SqlValue = string | number | null;
/** All that is asked of a database: run one statement, give all its rows. The caller opens the transaction. */
export type Sql = (statement: string, ...values: SqlValue[]) => Record<string, unknown>[];

export type Counter = "deliveries" | "duplicates" | "executed";
export interface Budgets {
	jit: Bucket;
	ec2: Bucket;
}
interface Settings {
	switches: Switches;
	budgets: Budgets;
}

export type Queue = ReturnType<typeof openQueue>;

/** Opens the queue on a database, creating what is missing. */
export function openQueue(sql: Sql) {
	for (const statement of SCHEMA) sql(statement);
	return { ...jobRows(sql), ...taskRows(sql), ...intentRows(sql), ...answerRows(sql), ...figureRows(sql) };
}

function docs<T>(rows: Record<string, unknown>[]): T[] {
	return rows.map(({ doc }) => JSON.parse(String(doc)) as T);
}
function numberOf(rows: Record<string, unknown>[], column: string): number | null {
	const value = rows[0]?.[column];
	return typeof value === "number" ? value : null;
}

function jobRows(sql: Sql) {
	const bySeat = (seat: string): Job | null => docs<Job>(sql(STATEMENTS.jobBySeat, seat))[0] ?? null;
	return {
		job: (id: number): Job | null => docs<Job>(sql(STATEMENTS.jobById, id))[0] ?? null,
		/** The job seated on a machine. */
		holder: bySeat,
		/** Who claims a machine, or the machine that a launch will bring. */
		claim: (seat: string): Claim => ({ seated: bySeat(seat), kept: docs<Job>(sql(STATEMENTS.jobBySpare, seat))[0] ?? null }),
		saveJob(job: Job): void {
			const queueMs = job.startedAt !== null && job.seat !== null ? Math.max(0, job.startedAt - job.receivedAt) : null;
			sql(
				STATEMENTS.saveJob,
				job.pointer.id,
				job.state,
				job.dueAt,
				job.seat?.key ?? null,
				job.spare?.key ?? null,
				queueMs,
				JSON.stringify(job),
			);
		},
		dueJobs: (state: JobState, now: number, limit: number): Job[] => docs(sql(STATEMENTS.dueJobs, state, now, limit)),
		nextDue: (state: JobState): number | null => numberOf(sql(STATEMENTS.nextDue, state), "at"),
		openByState: (state: JobState, limit: number): Job[] => docs(sql(STATEMENTS.openByState, state, limit)),
		/** Newest first, of one state or of all. */
		listJobs(state: JobState | null, limit: number): Job[] {
			if (state === null) return docs(sql(STATEMENTS.newestJobs, 0, limit));
			const isEnd = ["done", "refused", "dead"].includes(state);
			return docs(sql(isEnd ? STATEMENTS.endedByState : STATEMENTS.openByState, state, limit));
		},
		hasDelivery: (id: string): boolean => sql(STATEMENTS.delivery, id).length > 0,
		saveDelivery: (id: string): void => void sql(STATEMENTS.saveDelivery, id),
		/** Drops the ended jobs among the oldest rows whose end lies before a moment, with their deliveries. Returns how many. */
		pruneJobs(before: number, limit: number): number {
			const old = sql(STATEMENTS.oldestJobs, 0, limit).map((row) => ({ seq: Number(row.seq), job: JSON.parse(String(row.doc)) as Job }));
			const gone = old.filter(({ job }) => isEnded(job) && job.since < before);
			for (const { seq, job } of gone) {
				for (const delivery of job.deliveries) sql(STATEMENTS.dropDelivery, delivery);
				sql(STATEMENTS.dropJob, seq);
			}
			return gone.length;
		},
	};
}

function taskRows(sql: Sql) {
	return {
		task: (id: string): Task | null => docs<Task>(sql(STATEMENTS.task, id))[0] ?? null,
		saveTask: (task: Task): void => void sql(STATEMENTS.saveTask, task.workId, task.dueAt, JSON.stringify(task)),
		dropTask: (id: string): void => void sql(STATEMENTS.dropTask, id),
		dueTasks: (now: number, limit: number): Task[] => docs(sql(STATEMENTS.dueTasks, now, limit)),
		nextTask: (): number | null => numberOf(sql(STATEMENTS.nextTask), "at"),
		/** Forgets reruns that were done before a moment. */
		pruneReruns(before: number, limit: number): void {
			const done = docs<Task>(sql(STATEMENTS.reruns, limit)).filter(({ dueAt, since }) => dueAt === null && since < before);
			for (const { workId } of done) sql(STATEMENTS.dropTask, workId);
		},
	};
}

function intentRows(sql: Sql) {
	return {
		intent: (token: string | null): Intent | null => (token === null ? null : (docs<Intent>(sql(STATEMENTS.intent, token))[0] ?? null)),
		/** Written once: a token stands for one request for ever. */
		saveIntent: (intent: Intent, now: number): void => void sql(STATEMENTS.saveIntent, intent.token, now, JSON.stringify(intent)),
		pruneIntents(before: number, limit: number): void {
			const old = sql(STATEMENTS.oldestIntents, limit).filter(({ at }) => Number(at) < before);
			for (const { seq } of old) sql(STATEMENTS.dropIntent, Number(seq));
		},
	};
}

function answerRows(sql: Sql) {
	return {
		/** The lease answer given to a request after a moment. */
		answer<T>(request: string, after: number): T | null {
			const rows = sql(STATEMENTS.answer, request).filter(({ at }) => Number(at) > after);
			return docs<T>(rows)[0] ?? null;
		},
		saveAnswer: (request: string, answer: unknown, now: number): void =>
			void sql(STATEMENTS.saveAnswer, request, now, JSON.stringify(answer)),
		pruneAnswers(before: number, limit: number): void {
			const old = sql(STATEMENTS.oldestAnswers, limit).filter(({ at }) => Number(at) < before);
			for (const { seq } of old) sql(STATEMENTS.dropAnswer, Number(seq));
		},
	};
}

function figureRows(sql: Sql) {
	return {
		openCounts: (): Record<string, number> =>
			Object.fromEntries(sql(STATEMENTS.countOpen).map(({ state, n }) => [String(state), Number(n)])),
		/** Milliseconds from webhook to first step of the jobs among the newest that were started. */
		queueTimes: (jobs: number): number[] => sql(STATEMENTS.queueTimes, jobs).map(({ ms }) => Number(ms)),
		count: (name: Counter, by: number): void => void sql(STATEMENTS.count, name, by),
		counter: (name: Counter): number => numberOf(sql(STATEMENTS.counter, name), "value") ?? 0,
		setting: <N extends keyof Settings>(name: N): Settings[N] | null => docs<Settings[N]>(sql(STATEMENTS.setting, name))[0] ?? null,
		saveSetting: <N extends keyof Settings>(name: N, value: Settings[N]): void =>
			void sql(STATEMENTS.saveSetting, name, JSON.stringify(value)),
	};
}
