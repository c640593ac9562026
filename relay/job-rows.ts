// The rows of jobs, and who of them entered a state since the log last asked.
import type { Change, JobState } from "../contract/job.ts";
import { createActive } from "./active.ts";
import { isEnded, type Job } from "./job.ts";
import { createOpenJobs } from "./open-jobs.ts";
import { createRecords } from "./records.ts";
import type { Sql, SqlValue } from "./sql.ts";
import { STATEMENTS } from "./statements.ts";
import type { Claim } from "./swaps.ts";

/** So many of the newest jobs tell a relay that starts which repositories are active. */
const NEWEST = 300;

/** A job that entered a state, for the log. */
export interface Entered extends Change {
	job: number;
	run: number;
	repository: string;
	instance: string | null;
	/** The newest delivery about it, whatever caused the change. */
	delivery: string | null;
}

export function jobRows(sql: Sql) {
	// A record whose history is none of these has entered a state: every change of state makes a new array.
	const written = new WeakSet<Change[]>();
	let entered: Entered[] = [];
	const records = createRecords();
	const known = (job: Job): Job => {
		written.add(job.history);
		return job;
	};
	const read = (doc: string): Job => known(records.read(doc));
	const many = (rows: Record<string, unknown>[]): Job[] => rows.map(({ doc }) => known(records.glance(String(doc))));
	const one = (statement: string, key: SqlValue): Job | null => sql(statement, key).map(({ doc }) => read(String(doc)))[0] ?? null;
	const open = createOpenJobs({ read, forget: records.forget });
	for (const { doc } of sql(STATEMENTS.openJobs)) open.put(read(String(doc)), String(doc));
	// GitHub's ids grow: above the highest there is nothing to look for.
	let highest = Number(sql(STATEMENTS.highestJob)[0]?.id ?? 0);
	const active = createActive();
	for (const { pointer } of many(sql(STATEMENTS.newestJobs, NEWEST)).toReversed()) active.saw(pointer);
	const holder = (seat: string): Job | null => open.seated(seat) ?? one(STATEMENTS.jobBySeat, seat);
	/** An ended job is changed by late words on it, which mostly leave the columns as they are. */
	const saveEnded = (job: Job, doc: string, wasOpen: boolean): void => {
		const { id } = job.pointer;
		const columns = [job.state, job.seat?.key ?? null, job.spare?.key ?? null];
		const isSaved = !wasOpen && sql(STATEMENTS.saveEndedDoc, doc, id, ...columns).length > 0;
		if (!isSaved) sql(STATEMENTS.saveJob, id, ...columns, doc);
	};
	const newest = { done: STATEMENTS.newestDone, refused: STATEMENTS.newestRefused, dead: STATEMENTS.newestDead };
	return {
		open,
		/** Repositories that had jobs lately, the newest first. */
		active: active.all,
		job: (id: number): Job | null => open.get(id) ?? (id > highest ? null : one(STATEMENTS.jobById, id)),
		/** The job seated on a machine. */
		holder,
		/** Who claims a machine, or the machine that a launch will bring. */
		claim: (seat: string): Claim => ({ seated: holder(seat), kept: open.keeping(seat) ?? one(STATEMENTS.jobBySpare, seat) }),
		saveJob(job: Job): void {
			const { id } = job.pointer;
			const doc = JSON.stringify(job);
			const wasOpen = open.has(id);
			if (id > highest) active.saw(job.pointer);
			if (isEnded(job)) saveEnded(job, doc, wasOpen);
			else if (wasOpen) sql(STATEMENTS.saveDoc, doc, id);
			else sql(STATEMENTS.saveJob, id, null, null, null, doc);
			open.put(job, doc);
			records.keep(doc, job);
			highest = Math.max(highest, id);
			const newest = job.history.at(-1);
			if (written.has(job.history) || !newest) return;
			written.add(job.history);
			const { runId, repository } = job.pointer;
			const instance = job.seat?.machine?.instanceId ?? null;
			entered.push({ ...newest, job: id, run: runId, repository, instance, delivery: job.deliveries.at(-1) ?? null });
		},
		/** The changes of state since this was last asked. */
		takeEntered(): Entered[] {
			const taken = entered;
			entered = [];
			return taken;
		},
		/** Newest first, of one state or of all. */
		listJobs(state: JobState | null, limit: number): Job[] {
			if (state === null) return many(sql(STATEMENTS.newestJobs, limit));
			if (state === "done" || state === "refused" || state === "dead") return many(sql(newest[state], limit));
			return open.all(state).slice(0, limit);
		},
		/** The jobs after an id, in the order of their ids. */
		jobsAfter: (id: number, limit: number): Job[] => many(sql(STATEMENTS.jobsAfter, id, limit)),
		dropJob: (id: number): void => void sql(STATEMENTS.dropJob, id),
	};
}
