// The Durable Object: one transaction for each call, a bell for long polls, an alarm for housekeeping. No decisions.
import { DurableObject } from "cloudflare:workers";
import type { JobDetail, JobList, JobState } from "../contract/job.ts";
import type { LeaseAnswer, LeaseRequest } from "../contract/lease.ts";
import type { ObserveAnswer, ObserveRequest } from "../contract/observe.ts";
import type { Report } from "../contract/report.ts";
import type { SettleAnswer, SettleRequest } from "../contract/settle.ts";
import type { Stats } from "../contract/stats.ts";
import type { SwitchChange, Switches } from "../contract/switches.ts";
import { type Answers, createAnswers } from "./answers.ts";
import { batched } from "./batch.ts";
import { createBell, sleep } from "./bell.ts";
import { type Bucket, fullBucket, refilled, spent } from "./budgets.ts";
import { RATES } from "./clocks.ts";
import { jobDetail, listJobs, stats } from "./figures.ts";
import { handOut, nextWorkAt, switchesOf } from "./hand-out.ts";
import { prune } from "./housekeeping.ts";
import { note } from "./note.ts";
import { observe } from "./observe.ts";
import { openQueue, type Queue, type SqlValue } from "./queue.ts";
import { type Delivery, type Intake, type Receipt, receive } from "./receive.ts";
import { admit, type Serving } from "./sessions.ts";
import { settle } from "./settle.ts";

/** Machines whose reports are counted at once; beyond that counting starts anew. */
const COUNTED_MACHINES = 10_000;

export class QueueObject extends DurableObject {
	readonly #intake: Intake;
	readonly #queue: Queue;
	readonly #bell = createBell();
	readonly #answers: Answers<LeaseAnswer>;
	readonly #reports = new Map<string, Bucket>();
	#serving: Serving | null = null;

	constructor(ctx: DurableObjectState, env: Cloudflare.Env, intake: Intake) {
		super(ctx, env);
		this.#intake = intake;
		this.#answers = createAnswers(intake.clocks.answers);
		this.#queue = openQueue((statement, ...values: SqlValue[]) => ctx.storage.sql.exec(statement, ...values).toArray());
		ctx.blockConcurrencyWhile(async () => {
			if ((await ctx.storage.getAlarm()) === null) await ctx.storage.setAlarm(Date.now() + intake.clocks.housekeeping);
		});
	}

	readonly #receiveTogether = batched((deliveries: Delivery[]) =>
		this.#change((now) => deliveries.map((delivery) => receive(this.#queue, delivery, this.#intake, now))),
	);

	receive(delivery: Delivery): Promise<Receipt> {
		return this.#receiveTogether(delivery);
	}

	lease(request: LeaseRequest): Promise<LeaseAnswer> {
		return this.#answers.once(request.requestId, Date.now(), () => this.#answer(request));
	}

	settle(request: SettleRequest): SettleAnswer {
		return this.#change((now) => settle(this.#queue, request.results, now, this.#intake.clocks));
	}

	observe(request: ObserveRequest): ObserveAnswer {
		return this.#change((now) => observe(this.#queue, request, this.#intake, now));
	}

	/** False when the machine reports more than a machine's life can hold. */
	report(report: Report): boolean {
		if (!this.#mayReport(report.instanceId)) return false;
		this.#change((now) => note(this.#queue, report, now, this.#intake.clocks));
		return true;
	}

	jobs(state: JobState | null, limit: number): JobList {
		return listJobs(this.#queue, state, limit);
	}

	job(id: number): JobDetail | null {
		return jobDetail(this.#queue, id);
	}

	stats(): Stats {
		return stats(this.#queue, Date.now());
	}

	switches(): Switches {
		return switchesOf(this.#queue);
	}

	turn(change: SwitchChange): Switches {
		return this.#change(() => {
			const switches = { ...switchesOf(this.#queue), ...change };
			this.#queue.saveSetting("switches", switches);
			return switches;
		});
	}

	override async alarm(): Promise<void> {
		const now = Date.now();
		const { clocks } = this.#intake;
		const isMore = this.ctx.storage.transactionSync(() => prune(this.#queue, now, clocks));
		await this.ctx.storage.setAlarm(isMore ? now : now + clocks.housekeeping);
	}

	/** Runs a change as one transaction and wakes who waits for work. The answer leaves only after the commit is on disk (output gate). */
	#change<T>(change: (now: number) => T): T {
		const result = this.ctx.storage.transactionSync(() => change(Date.now()));
		this.#bell.ring();
		return result;
	}

	async #answer(request: LeaseRequest): Promise<LeaseAnswer> {
		const { clocks } = this.#intake;
		const kept = this.#queue.answer<LeaseAnswer>(request.requestId, Date.now() - clocks.answers);
		if (kept) return kept;
		const { serving, superseded } = admit(this.#serving, request, Date.now(), clocks);
		this.#serving = serving;
		if (superseded) return { ...this.#take({ ...request, max: 0 }), superseded };
		const deadline = Date.now() + request.waitSeconds * 1000;
		let answer = this.#take(request);
		while (answer.work.length === 0 && Date.now() < deadline) {
			await this.#untilWork(deadline);
			answer = this.#take(request);
		}
		return answer;
	}

	#take({ max, requestId }: Pick<LeaseRequest, "max" | "requestId">): LeaseAnswer {
		return this.ctx.storage.transactionSync(() => {
			const now = Date.now();
			const leaseId = () => crypto.randomUUID().replaceAll("-", "");
			const answer = handOut(this.#queue, max, leaseId, now, this.#intake.clocks);
			if (answer.work.length > 0) this.#queue.saveAnswer(requestId, answer, now);
			return answer;
		});
	}

	/** Waits until something is due or the time is over. Work that comes by a write lingers, so that a burst is one batch. */
	async #untilWork(deadline: number): Promise<void> {
		for (;;) {
			const now = Date.now();
			const dueAt = nextWorkAt(this.#queue, now) ?? Number.POSITIVE_INFINITY;
			if (now >= deadline || dueAt <= now) return;
			const isRung = await this.#bell.heard(Math.max(1, Math.min(deadline, dueAt) - now));
			const isDue = (nextWorkAt(this.#queue, Date.now()) ?? Number.POSITIVE_INFINITY) <= Date.now();
			if (isRung && isDue) return sleep(Math.min(this.#intake.clocks.linger, Math.max(0, deadline - Date.now())));
		}
	}

	#mayReport(instanceId: string): boolean {
		const now = Date.now();
		if (this.#reports.size >= COUNTED_MACHINES) this.#reports.clear();
		const bucket = refilled(this.#reports.get(instanceId) ?? fullBucket(RATES.reports, now), RATES.reports, now);
		this.#reports.set(instanceId, spent(bucket, 1));
		return bucket.tokens >= 1;
	}
}
