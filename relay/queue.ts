// The ledger's rows, in and out. Knows SQL and records, decides nothing. Runs on a Durable Object's SQLite and on any other.
import type { Intent } from "../contract/lease.ts";
import type { Start } from "../contract/start.ts";
import { jobRows } from "./job-rows.ts";
import { leaseRows } from "./lease-rows.ts";
import { settingRows } from "./setting-rows.ts";
import { docs, numberOf, type Sql } from "./sql.ts";
import { SCHEMA, STATEMENTS } from "./statements.ts";
import type { Task } from "./tasks.ts";

export type Queue = ReturnType<typeof openQueue>;

/** Opens the queue on a database, creating what is missing. After a transaction that was rolled back it must be opened anew. */
export function openQueue(sql: Sql) {
	for (const statement of SCHEMA) sql(statement);
	const jobs = jobRows(sql);
	const settings = settingRows(sql);
	return { ...jobs, ...taskRows(sql), ...intentRows(sql), ...startRows(sql), ...settings, ...leaseRows(settings, jobs.open) };
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
	// Each member of a launch names it, one after the other.
	let newest: string | null = null;
	return {
		intent: (token: string | null): Intent | null => (token === null ? null : (docs<Intent>(sql(STATEMENTS.intent, token))[0] ?? null)),
		/** Written once: a token stands for one request for ever. */
		saveIntent(intent: Intent, now: number): void {
			if (intent.token === newest) return;
			sql(STATEMENTS.saveIntent, intent.token, now, JSON.stringify(intent));
			newest = intent.token;
		},
		/** Tokens after one, in their order, with when each was written. */
		intentsAfter: (token: string, limit: number): { token: string; at: number }[] =>
			sql(STATEMENTS.intentsAfter, token, limit).map((row) => ({ token: String(row.token), at: Number(row.at) })),
		dropIntent(token: string): void {
			newest = null;
			sql(STATEMENTS.dropIntent, token);
		},
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
