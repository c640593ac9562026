// The queue's calls on any storage and any clock: one transaction for each, a bell for long polls. No decisions.
import type { JobDetail, JobList, JobState } from "../contract/job.ts";
import type { LeaseAnswer, LeaseRequest } from "../contract/lease.ts";
import type { ObserveAnswer, ObserveRequest } from "../contract/observe.ts";
import type { Report } from "../contract/report.ts";
import type { SettleAnswer, SettleRequest } from "../contract/settle.ts";
import type { StartList } from "../contract/start.ts";
import type { Stats } from "../contract/stats.ts";
import type { SwitchChange, SwitchesView } from "../contract/switches.ts";
import { type Answers, createAnswers } from "./answers.ts";
import { batched } from "./batch.ts";
import { type Bell, createBell } from "./bell.ts";
import type { Caps } from "./caps.ts";
import { followClock, latestSeen } from "./clock.ts";
import { jobDetail, listJobs, listStarts, stats, type WhyWaits, whyWaits } from "./figures.ts";
import { answerAgain, handOut, nextWorkAt, switchesOf } from "./hand-out.ts";
import { type Pruned, prune, UNPRUNED } from "./housekeeping.ts";
import type { Entered } from "./job-rows.ts";
import { note } from "./note.ts";
import { observe } from "./observe.ts";
import { openQueue, type Queue } from "./queue.ts";
import { type Delivery, type Intake, type Receipt, receive, roomOf } from "./receive.ts";
import { createReportLimit } from "./report-limit.ts";
import { admit, type Serving } from "./sessions.ts";
import { jobOfWork, settle } from "./settle.ts";
import type { Sql } from "./sql.ts";
import type { Timer } from "./timer.ts";

/** One line for each decision. */
export type Log = (record: Record<string, unknown>) => void;

/** What the queue runs on. */
export interface Surface {
	/** Runs one statement and counts the rows it writes, as Cloudflare counts them. */
	sql: Sql;
	/** Runs a change that is written as a whole or, when it throws, not at all. */
	transact<T>(change: () => T): T;
	/** Rows written since the process started. */
	rowsWritten(): number;
	now(): number;
	timer: Timer;
	/** A new id, never given before. */
	newId(): string;
	log: Log;
}

export class QueueService {
	readonly #intake: Intake;
	readonly #surface: Surface;
	#queue: Queue;
	/** The latest moment seen, so that a clock set back is noticed. */
	#latest: number;
	readonly #bell: Bell;
	readonly #answers: Answers<LeaseAnswer>;
	readonly #receiveTogether: (delivery: Delivery) => Promise<Receipt>;
	readonly #mayReport = createReportLimit();
	#serving: Serving | null = null;
	/** As the newest lease gave them, for whoever asks why a job waits. */
	#caps: Caps = {};

	constructor(surface: Surface, intake: Intake) {
		this.#surface = surface;
		this.#intake = intake;
		this.#bell = createBell(surface.timer);
		this.#answers = createAnswers(intake.clocks.answers);
		this.#receiveTogether = batched((deliveries) => this.#receiveAll(deliveries), surface.timer);
		this.#queue = openQueue(surface.sql);
		this.#latest = latestSeen(this.#queue);
	}

	#receiveAll(deliveries: Delivery[]): Receipt[] {
		const taken = this.#change((now) =>
			deliveries.map((delivery) => {
				const receipt = receive(this.#queue, delivery, this.#intake, now);
				return { delivery, receipt, entered: this.#queue.takeEntered() };
			}),
		);
		for (const { delivery, receipt, entered } of taken) this.#logDelivery(delivery, receipt, entered);
		return taken.map(({ receipt }) => receipt);
	}

	/** A delivery that moved jobs is told by their lines. */
	#logDelivery({ id, event }: Delivery, receipt: Receipt, entered: Entered[]): void {
		const { action, status, job } = event;
		if (entered.length === 0) this.#surface.log({ at: "webhook", delivery: id, job: job.id, run: job.runId, action, status, receipt });
		else this.#logEntered(entered, { cause: "webhook", delivery: id, action, status });
	}

	#logEntered(entered: Entered[], cause: Record<string, unknown>): void {
		for (const { at, ...change } of entered) this.#surface.log({ at: "job", ...change, ...cause, when: at });
	}

	receive(delivery: Delivery): Promise<Receipt> {
		return this.#receiveTogether(delivery);
	}

	lease(request: LeaseRequest): Promise<LeaseAnswer> {
		const answer = async () => ({ ...(await this.#answer(request)), room: roomOf(this.#queue, this.#intake) });
		return this.#answers.once(request.requestId, this.#surface.now(), answer);
	}

	settle(request: SettleRequest): SettleAnswer {
		const { answer, entered } = this.#change((now) => ({
			answer: settle(this.#queue, request.results, now, this.#intake.clocks),
			entered: this.#queue.takeEntered(),
		}));
		for (const { workId, leaseId, outcome } of request.results) {
			const stale = answer.stale[workId]?.reason;
			this.#surface.log({ at: "settle", job: jobOfWork(workId), work: workId, lease: leaseId, outcome, ...(stale && { stale }) });
		}
		this.#logEntered(entered, { cause: "settle" });
		return answer;
	}

	observe(request: ObserveRequest): ObserveAnswer {
		const { answer, entered } = this.#change((now) => ({
			answer: observe(this.#queue, request, this.#intake, now),
			entered: this.#queue.takeEntered(),
		}));
		for (const verdict of answer.machines) if (verdict.verdict === "terminate") this.#surface.log({ at: "observe", ...verdict });
		this.#logEntered(entered, { cause: "observe" });
		return answer;
	}

	/** False when the machine reports more than a machine's life can hold. */
	report(report: Report): boolean {
		const { instanceId, phase, sequence, jobId } = report;
		const isTaken = this.#mayReport(instanceId, this.#surface.now());
		if (isTaken) this.#change((now) => note(this.#queue, report, now, this.#intake.clocks));
		this.#surface.log({ at: "report", instance: instanceId, job: jobId, phase, sequence, taken: isTaken });
		return isTaken;
	}

	starts(limit: number): StartList {
		return listStarts(this.#queue, limit);
	}

	jobs(state: JobState | null, limit: number): JobList {
		return listJobs(this.#queue, state, limit, this.#waits());
	}

	job(id: number): JobDetail | null {
		return jobDetail(this.#queue, id, this.#waits());
	}

	#waits(): WhyWaits {
		return whyWaits(this.#queue, this.#caps, this.#surface.now());
	}

	stats(): Stats {
		return stats(this.#queue, this.#surface.rowsWritten(), this.#now());
	}

	switches(): SwitchesView {
		const reason = this.#queue.setting("deprecation")?.reason;
		return { ...switchesOf(this.#queue), ...(reason && { reason }) };
	}

	turn(change: SwitchChange): SwitchesView {
		return this.#change(() => {
			const switches = { ...switchesOf(this.#queue), ...change };
			this.#queue.saveSetting("switches", switches);
			if (!switches.pause && this.#queue.setting("deprecation")) this.#queue.saveSetting("deprecation", { machines: [], reason: null });
			this.#surface.log({ at: "switches", ...switches });
			return this.switches();
		});
	}

	/** Forgets what nobody asks for any more, a piece at a time: others are served in between. */
	async housekeep(): Promise<void> {
		for (let next: Pruned | null = UNPRUNED; next !== null; await this.#sleep(0)) {
			const from: Pruned = next;
			next = this.#transaction((now) => prune(this.#queue, from, now, this.#intake.clocks));
		}
	}

	/** The time, after what is due has followed a clock that was set back. */
	#now(): number {
		const now = this.#surface.now();
		if (now < this.#latest) {
			const isFollowed = this.#transaction(() => followClock(this.#queue, this.#latest, now), now);
			if (isFollowed) this.#serving = null;
			if (isFollowed) this.#surface.log({ at: "clock", setBack: this.#latest - now });
		}
		this.#latest = now;
		return now;
	}

	/** Runs a change as one transaction and wakes who waits for work. The answer leaves only after the commit is on disk (output gate). */
	#change<T>(change: (now: number) => T): T {
		const result = this.#transaction(change);
		this.#bell.ring();
		return result;
	}

	/** What was rolled back on disk is forgotten in memory too. */
	#transaction<T>(change: (now: number) => T, now = this.#now()): T {
		try {
			return this.#surface.transact(() => change(now));
		} catch (error) {
			this.#queue = openQueue(this.#surface.sql);
			throw error;
		}
	}

	async #answer(request: LeaseRequest): Promise<LeaseAnswer> {
		const { clocks } = this.#intake;
		const kept = answerAgain(this.#queue, request.requestId, this.#now() - clocks.answers);
		if (kept) return kept;
		this.#caps = request.caps;
		const { serving, superseded } = admit(this.#serving, request, this.#surface.now(), clocks);
		this.#serving = serving;
		if (superseded) return { ...this.#take({ ...request, max: 0 }), superseded };
		const begun = this.#now();
		let answer = this.#take(request);
		while (answer.work.length === 0 && (await this.#untilWork(begun, begun + request.waitSeconds * 1000))) answer = this.#take(request);
		return answer;
	}

	#take(request: Pick<LeaseRequest, "max" | "requestId" | "session" | "caps">): LeaseAnswer {
		const answer = this.#transaction((now) => handOut(this.#queue, request, this.#surface.newId, now, this.#intake.clocks));
		for (const { kind, workId, leaseId } of answer.work)
			this.#surface.log({ at: "lease", kind, job: jobOfWork(workId), work: workId, lease: leaseId, session: request.session });
		return answer;
	}

	/** Waits until something is due; false when the time is over or the clock was set back. Work that comes by a write lingers, so that a burst is one batch. */
	async #untilWork(begun: number, deadline: number): Promise<boolean> {
		for (let isRung = false; ; ) {
			const now = this.#now();
			if (now < begun || now >= deadline) return false;
			const dueAt = nextWorkAt(this.#queue, now, this.#caps) ?? Number.POSITIVE_INFINITY;
			if (dueAt <= now) {
				if (isRung && this.#intake.clocks.linger > 0) await this.#sleep(Math.min(this.#intake.clocks.linger, deadline - now));
				return true;
			}
			isRung = await this.#bell.heard(Math.max(1, Math.min(deadline, dueAt) - now));
		}
	}

	#sleep(milliseconds: number): Promise<void> {
		return new Promise((resolve) => void this.#surface.timer(milliseconds, resolve));
	}
}
