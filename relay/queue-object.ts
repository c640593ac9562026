// The Durable Object: its storage, its clock and its alarm under the queue's calls. No decisions.
import { DurableObject } from "cloudflare:workers";
import type { JobState } from "../contract/job.ts";
import type { LeaseRequest } from "../contract/lease.ts";
import type { ObserveRequest } from "../contract/observe.ts";
import type { Report } from "../contract/report.ts";
import type { SettleRequest } from "../contract/settle.ts";
import type { SwitchChange } from "../contract/switches.ts";
import { type Log, QueueService } from "./queue-service.ts";
import type { Delivery, Intake } from "./receive.ts";
import type { SqlValue } from "./sql.ts";
import { startTimer } from "./timer.ts";

/** Asking a statement without rows for them costs as much as a small one. */
const GIVES_ROWS = /^SELECT|\bRETURNING\b/;

export class QueueObject extends DurableObject {
	readonly #service: QueueService;
	readonly #housekeeping: number;
	/** Rows written since the object started, as Cloudflare counts them. */
	#rows = 0;

	constructor(ctx: DurableObjectState, env: Cloudflare.Env, intake: Intake, log: Log) {
		super(ctx, env);
		this.#housekeeping = intake.clocks.housekeeping;
		this.#service = new QueueService(
			{
				sql: (statement, ...values) => this.#sql(statement, values),
				transact: (change) => ctx.storage.transactionSync(change),
				rowsWritten: () => this.#rows,
				...{ now: Date.now, timer: startTimer, newId: () => crypto.randomUUID().replaceAll("-", ""), log },
			},
			intake,
		);
		ctx.blockConcurrencyWhile(async () => {
			if ((await ctx.storage.getAlarm()) === null) await this.#setAlarm();
		});
	}

	#sql(statement: string, values: SqlValue[]): Record<string, unknown>[] {
		const cursor = this.ctx.storage.sql.exec(statement, ...values);
		const rows = GIVES_ROWS.test(statement) ? cursor.toArray() : [];
		this.#rows += cursor.rowsWritten;
		return rows;
	}

	/** Setting it is a row written (FACTS 5.1). */
	async #setAlarm(): Promise<void> {
		await this.ctx.storage.setAlarm(Date.now() + this.#housekeeping);
		this.#rows += 1;
	}

	override async alarm(): Promise<void> {
		await this.#service.housekeep();
		await this.#setAlarm();
	}

	/** A delivery as JSON, from the worker of the same build. */
	receive(delivery: string) {
		return this.#service.receive(JSON.parse(delivery) as Delivery);
	}
	lease(request: LeaseRequest) {
		return this.#service.lease(request);
	}
	settle(request: SettleRequest) {
		return this.#service.settle(request);
	}
	observe(request: ObserveRequest) {
		return this.#service.observe(request);
	}
	report(report: Report) {
		return this.#service.report(report);
	}
	starts(limit: number) {
		return this.#service.starts(limit);
	}
	jobs(state: JobState | null, limit: number) {
		return this.#service.jobs(state, limit);
	}
	job(id: number) {
		return this.#service.job(id);
	}
	stats() {
		return this.#service.stats();
	}
	switches() {
		return this.#service.switches();
	}
	turn(change: SwitchChange) {
		return this.#service.turn(change);
	}
}
