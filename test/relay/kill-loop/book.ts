// What was sent to the relay and what it acknowledged: the truth that it is held to.
import type { JobState } from "../../../contract/job.ts";
import type { Intent } from "../../../contract/lease.ts";
import { machineOf } from "../ledger-rows.ts";

export type Action = "queued" | "in_progress" | "completed";
/** How a job goes on: on its own machine, on a runner that is not ours, or cancelled before it ran. */
export type Way = "own" | "elsewhere" | "cancelled";

export interface Known {
	id: number;
	way: Way | null;
	/** Its machine exists: CreateFleet was called for it. */
	isLaunched: boolean;
	/** Nothing happens to it at GitHub until its machine is there. */
	isPatient: boolean;
	/** The furthest state that was acknowledged to a sender or to the poller. */
	state: JobState | null;
	/** Acknowledged settles, by the state they were answered with. */
	settled: Set<JobState>;
	intent: Intent | null;
}
/** One delivery, sent under the same id until it is answered. */
export interface Letter {
	delivery: string;
	job: Known;
	action: Action;
	runnerName: string | null;
	tries: number;
}

export const RANK: Record<JobState, number> = {
	...{ waiting: 0, queued: 1, launching: 2, launched: 3, running: 4 },
	...{ done: 5, refused: -1, dead: -1 },
};
const STATE: Record<Action, JobState> = { queued: "queued", in_progress: "running", completed: "done" };

export type Book = ReturnType<typeof createBook>;

export function createBook() {
	const jobs = new Map<number, Known>();
	return {
		jobs,
		unanswered: [] as Letter[],
		answered: [] as Letter[],
		/** Jobs whose next event may be sent: no letter of theirs is under way. */
		idle: [] as Known[],
		/** What must not happen, in words. */
		wrong: [] as string[],
		ended: new Set<string>(),
		/** Deliveries that were stored before a kill and answered only after it. */
		absorbed: 0,
		newJob(): Known {
			const id = jobs.size + 1;
			const nothing = { way: null, isLaunched: false, state: null, intent: null };
			const job: Known = { id, ...nothing, isPatient: id % 16 === 0, settled: new Set() };
			jobs.set(job.id, job);
			return job;
		},
		letter: (job: Known, action: Action): Letter => ({
			...{ delivery: `kill-${job.id}-${action}`, job, action, tries: 0 },
			runnerName: action === "queued" || job.way === "cancelled" ? null : job.way === "own" ? machineOf(job.id).runnerName : "elsewhere-1",
		}),
		/** A state was acknowledged: from now on the job may only go on from there. */
		reached(job: Known, state: JobState): void {
			if (job.state === null || RANK[state] > RANK[job.state]) job.state = state;
		},
		heard(letter: Letter): void {
			const { job, action } = letter;
			this.reached(job, STATE[action]);
			this.answered.push(letter);
			if (action !== "completed") this.idle.push(job);
		},
	};
}
