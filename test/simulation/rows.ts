// The relay's rows in maps: an answer for each statement of relay/statements.ts, the one that SQLite gives (rows.test.ts).

import type { SqlValue } from "../../relay/sql.ts";
import { SCHEMA, STATEMENTS } from "../../relay/statements.ts";
import type { Storage } from "./storage.ts";
import { createIndex, createJournal, createTable, type Journal, type Table } from "./table.ts";

type Name = keyof typeof STATEMENTS;
type Row = Record<string, unknown>;
// biome-ignore lint/suspicious/noExplicitAny: the values of each statement have its own types
type Answer = (...values: any[]) => Row[];

const NONE: Row[] = [];

/** The first rows of a list; a limit below zero is none. */
function first<T>(rows: readonly T[], limit: number): T[] {
	return limit < 0 ? [...rows] : rows.slice(0, limit);
}

/** The keys after one, in their order. */
function after<K extends string | number>(table: Pick<Table<K, unknown>, "keys">, key: K, limit: number): K[] {
	return first(
		table.keys().filter((it) => it > key),
		limit,
	);
}

interface JobRow {
	ended: string | null;
	seat: string | null;
	spare: string | null;
	doc: string;
}

function jobAnswers(journal: Journal) {
	const seats = createIndex<string, number>();
	const spares = createIndex<string, number>();
	const jobs = createTable<number, JobRow>(journal, (id, before, after) => {
		seats.move(id, before?.seat ?? null, after?.seat ?? null);
		spares.move(id, before?.spare ?? null, after?.spare ?? null);
	});
	const docs = (ids: Iterable<number>): Row[] => Array.from(ids, (id) => ({ doc: jobs.get(id)?.doc }));
	const newest = (isMeant: (id: number) => boolean, limit: number) => docs(first(jobs.keys().filter(isMeant).toReversed(), limit));
	const newestEnded = (ended: string, limit: number) => newest((id) => jobs.get(id)?.ended === ended, limit);
	const highest = (ids: ReadonlySet<number> | undefined) => (ids ? docs([Math.max(...ids)]) : NONE);
	return {
		openJobs: () => docs(jobs.keys().filter((id) => jobs.get(id)?.ended === null)),
		highestJob: () => [{ id: jobs.keys().at(-1) ?? null }],
		jobById(id: number) {
			const row = jobs.get(id);
			return row ? [{ doc: row.doc }] : NONE;
		},
		jobBySeat: (seat: string) => highest(seats.of(seat)),
		jobBySpare: (spare: string) => highest(spares.of(spare)),
		saveDoc(doc: string, id: number) {
			const row = jobs.get(id);
			if (row) jobs.put(id, { ...row, doc });
			return NONE;
		},
		saveEndedDoc(doc: string, id: number, ended: string | null, seat: string | null, spare: string | null) {
			const row = jobs.get(id);
			if (!row || row.ended !== ended || row.seat !== seat || row.spare !== spare) return NONE;
			jobs.put(id, { ...row, doc });
			return [{ id }];
		},
		saveJob(id: number, ended: string | null, seat: string | null, spare: string | null, doc: string) {
			jobs.put(id, { ended, seat, spare, doc });
			return NONE;
		},
		newestJobs: (limit: number) => newest((id) => id > 0, limit),
		newestDone: (limit: number) => newest((id) => id > 0 && jobs.get(id)?.ended === "done", limit),
		newestRefused: (limit: number) => newestEnded("refused", limit),
		newestDead: (limit: number) => newestEnded("dead", limit),
		jobsAfter: (id: number, limit: number) => after(jobs, id, limit).map((it) => ({ id: it, doc: jobs.get(it)?.doc })),
		dropJob(id: number) {
			jobs.drop(id);
			return NONE;
		},
	} satisfies Partial<Record<Name, Answer>>;
}

function intentAnswers(journal: Journal) {
	const intents = createTable<string, { at: number; doc: string }>(journal);
	return {
		intent(token: string) {
			const row = intents.get(token);
			return row ? [{ doc: row.doc }] : NONE;
		},
		saveIntent(token: string, at: number, doc: string) {
			if (!intents.get(token)) intents.put(token, { at, doc });
			return NONE;
		},
		intentsAfter: (token: string, limit: number) => after(intents, token, limit).map((it) => ({ token: it, at: intents.get(it)?.at })),
		dropIntent(token: string) {
			intents.drop(token);
			return NONE;
		},
	} satisfies Partial<Record<Name, Answer>>;
}

interface TaskRow {
	id: string;
	dueAt: number | null;
	doc: string;
}

function taskAnswers(journal: Journal) {
	/** Those that have a moment: most are done and have none. */
	const due = new Map<string, TaskRow & { dueAt: number }>();
	const tasks = createTable<string, TaskRow>(journal, (id, _, after) => {
		if (after && after.dueAt !== null) due.set(id, { ...after, dueAt: after.dueAt });
		else due.delete(id);
	});
	return {
		task(id: string) {
			const row = tasks.get(id);
			return row ? [{ doc: row.doc }] : NONE;
		},
		saveTask(id: string, dueAt: number | null, doc: string) {
			tasks.put(id, { id, dueAt, doc });
			return NONE;
		},
		dropTask(id: string) {
			tasks.drop(id);
			return NONE;
		},
		dueTasks(now: number, limit: number) {
			const found: (TaskRow & { dueAt: number })[] = [];
			for (const row of due.values()) if (row.dueAt <= now) found.push(row);
			if (found.length === 0) return NONE;
			found.sort((one, other) => one.dueAt - other.dueAt || (one.id < other.id ? -1 : 1));
			return first(found, limit).map(({ doc }) => ({ doc }));
		},
		nextTask() {
			let at: number | null = null;
			for (const { dueAt } of due.values()) if (at === null || dueAt < at) at = dueAt;
			return [{ at }];
		},
		reruns: (limit: number) =>
			first(
				tasks.keys().filter((id) => id > "rerun-" && id < "rerun."),
				limit,
			).map((id) => ({ doc: tasks.get(id)?.doc })),
	} satisfies Partial<Record<Name, Answer>>;
}

function startAnswers(journal: Journal) {
	const starts = createTable<number, { at: number; ms: number; doc: string }>(journal);
	const newest = (limit: number) =>
		first(
			starts
				.keys()
				.filter((seq) => seq > 0)
				.toReversed(),
			limit,
		);
	return {
		saveStart(at: number, ms: number, doc: string) {
			starts.put((starts.keys().at(-1) ?? 0) + 1, { at, ms, doc });
			return NONE;
		},
		lastStart: () => [{ seq: starts.keys().at(-1) ?? null }],
		newestStarts: (limit: number) => newest(limit).map((seq) => ({ doc: starts.get(seq)?.doc })),
		queueTimes: (limit: number) => newest(limit).map((seq) => ({ ms: starts.get(seq)?.ms })),
		oldestStarts: (limit: number) => after(starts, 0, limit).map((seq) => ({ seq, at: starts.get(seq)?.at })),
		dropStart(seq: number) {
			starts.drop(seq);
			return NONE;
		},
	} satisfies Partial<Record<Name, Answer>>;
}

function settingAnswers(journal: Journal) {
	const settings = createTable<string, string>(journal);
	return {
		setting(name: string) {
			const doc = settings.get(name);
			return doc === undefined ? NONE : [{ doc }];
		},
		saveSetting(name: string, doc: string) {
			settings.put(name, doc);
			return NONE;
		},
	} satisfies Partial<Record<Name, Answer>>;
}

/** Empty rows. A statement that is not the relay's is refused. */
export function openRows(): Storage {
	const journal = createJournal();
	const answers: Record<Name, Answer> = {
		...jobAnswers(journal),
		...intentAnswers(journal),
		...taskAnswers(journal),
		...startAnswers(journal),
		...settingAnswers(journal),
	};
	const byStatement = new Map<string, Answer>(SCHEMA.map((statement) => [statement, () => NONE]));
	for (const [name, answer] of Object.entries(answers)) byStatement.set(STATEMENTS[name as Name], answer);
	return {
		sql(statement, ...values: SqlValue[]) {
			const answer = byStatement.get(statement);
			if (!answer) throw new Error(`no answer to the statement ${statement}`);
			return answer(...values);
		},
		transact: journal.transact,
	};
}
