// The relay's front door on rows in memory: every byte goes the way it goes in the Worker, but for the call into the object.
import { parseJobDetail } from "../../../contract/job.ts";
import { DEFAULT_CLOCKS as clocks } from "../../../relay/clocks.ts";
import { parseConfig } from "../../../relay/config.ts";
import { jobDetail, listJobs, listStarts, stats } from "../../../relay/figures.ts";
import { handOut, switchesOf } from "../../../relay/hand-out.ts";
import { note } from "../../../relay/note.ts";
import { observe } from "../../../relay/observe.ts";
import type { Queue } from "../../../relay/queue.ts";
import { readRateLimits } from "../../../relay/rate-limits.ts";
import { receive } from "../../../relay/receive.ts";
import { createRoutes } from "../../../relay/routes.ts";
import { settle } from "../../../relay/settle.ts";
import type { QueueCalls } from "../../../relay/surroundings.ts";
import { freshRows } from "../ledger-rows.ts";
import { OWNERS, SECRETS } from "../relay-under-test.ts";

function callsOf(queue: Queue): QueueCalls {
	const intake = { maxOpenJobs: 5000, clocks };
	let leases = 0;
	return {
		receive: async (text) => receive(queue, JSON.parse(text), intake, Date.now()),
		lease: async (request) => handOut(queue, request, () => `l-${++leases}`, Date.now(), clocks),
		settle: async ({ results }) => settle(queue, results, Date.now(), clocks),
		observe: async (request) => observe(queue, request, intake, Date.now()),
		report: async (report) => {
			note(queue, report, Date.now(), clocks);
			return true;
		},
		jobs: async (state, limit) => listJobs(queue, state, limit),
		starts: async (limit) => listStarts(queue, limit),
		job: async (id) => jobDetail(queue, id),
		stats: async () => stats(queue, 0, Date.now()),
		switches: async () => switchesOf(queue),
		turn: async (change) => {
			const switches = { ...switchesOf(queue), ...change };
			queue.saveSetting("switches", switches);
			return switches;
		},
	};
}

export function frontDoor() {
	const { queue, database } = freshRows();
	const log: Record<string, unknown>[] = [];
	const app = createRoutes(parseConfig({ ...SECRETS, OWNERS }), {
		...{ queue: () => callsOf(queue), now: Date.now, log: (record: Record<string, unknown>) => void log.push(record), version: "0" },
		limits: readRateLimits({}),
	});
	return {
		app,
		log,
		/** Every job that was stored and is not what the contract says a job is. */
		unsound(): string[] {
			const ids = queue.listJobs(null, 1_000_000).map(({ pointer }) => pointer.id);
			return ids.flatMap((id) => {
				const read = parseJobDetail(jobDetail(queue, id));
				return read.ok ? [] : [`${id}: ${read.reason}`];
			});
		},
		stored: () => queue.listJobs(null, 1_000_000).length,
		close: () => database.close(),
	};
}
