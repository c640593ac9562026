// The relay's queue on bun:sqlite, so that its rules are tested without workerd.
import { Database } from "bun:sqlite";
import type { JobEvent } from "../../contract/job.ts";
import { openQueue, type Queue } from "../../relay/queue.ts";
import type { SqlValue } from "../../relay/sql.ts";

export interface Rows {
	queue: Queue;
	database: Database;
}

/** A queue on a fresh database in memory. */
export function freshRows(): Rows {
	const database = new Database(":memory:");
	return { queue: reopened(database), database };
}

/** The queue as a relay finds it that starts on this database. */
export function reopened(database: Database): Queue {
	return openQueue((statement, ...values: SqlValue[]) => database.query(statement).all(...values) as Record<string, unknown>[]);
}

export const START = 1_795_000_000_000;

/** A `workflow_job` event of job `id`; everything else can be said otherwise. */
export function jobEvent(id: number, action: JobEvent["action"], more: Partial<JobEvent> = {}): JobEvent {
	const status = action === "queued" ? "queued" : action;
	const job = {
		id,
		runId: 1000 + Math.floor(id / 100),
		attempt: 1,
		repository: "octo-org/octo-repo",
		owner: "octo-org",
		installationId: 7,
		labels: ["mayfly"],
		name: `job ${id}`,
	};
	return { action, status, conclusion: null, runnerName: null, environment: null, createdAt: START, job, ...more };
}

/** The n-th instance id of a test. */
export function instanceId(n: number): string {
	return `i-${n.toString(16).padStart(17, "0")}`;
}

export function machineOf(n: number, attempt = 1) {
	const id = instanceId(n);
	return {
		instanceId: id,
		runnerName: `mayfly-${id}-${attempt}`,
		privateIp: `10.0.${Math.floor(n / 200)}.${(n % 200) + 4}`,
		type: "m8g.large",
		zone: "eu-west-1a",
		market: "spot" as const,
	};
}
