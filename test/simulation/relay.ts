// The real relay behind a network that loses things: its calls on rows in memory, under the clock of the run.
import type { JobEvent } from "../../contract/job.ts";
import { type Intent, parseLeaseRequest } from "../../contract/lease.ts";
import { parseObserveRequest } from "../../contract/observe.ts";
import type { Parsed } from "../../contract/parse.ts";
import type { ReportPhase } from "../../contract/report.ts";
import { type Outcome, parseSettleRequest } from "../../contract/settle.ts";
import type { Relay } from "../../poller/ports.ts";
import { RelayError } from "../../poller/relay.ts";
import { DEFAULT_CLOCKS as clocks } from "../../relay/clocks.ts";
import type { Job } from "../../relay/job.ts";
import { QueueService } from "../../relay/queue-service.ts";
import type { Receipt } from "../../relay/receive.ts";
import type { Leased } from "../../relay/setting-rows.ts";
import { docs } from "../../relay/sql.ts";
import { STATEMENTS } from "../../relay/statements.ts";
import { beginLife } from "./relay-life.ts";
import type { Storage } from "./storage.ts";
import { type Setting, travel } from "./world.ts";

const HOUR = 3_600_000;
/** Leases that are remembered (relay/lease-rows.ts). */
const LEASES = 16;
const PAUSES_MS = [100, 300, 1000];

export type RelayModel = ReturnType<typeof createRelayModel>;

/** `isJson`: whether everything goes over the wire as JSON, as it really does, or each side shares what the other never changes: cheaper, and the same days. */
export function createRelayModel(setting: Setting, storage: Storage, isJson: boolean, settling: (result: Outcome) => void) {
	const { clock, dice, faults, tell } = setting;
	const carried = <T>(value: T, shared: (value: T) => T = (it) => it): T =>
		isJson ? (JSON.parse(JSON.stringify(value)) as T) : shared(value);
	/** What its front door would refuse, the relay never sees. */
	const taken = <T>(call: string, parse: (input: unknown) => Parsed<unknown>, message: T): T => {
		const read = isJson ? parse(JSON.parse(JSON.stringify(message))) : null;
		if (read?.ok === false) setting.broken(`the relay refuses what the poller sends to ${call}: ${read.reason}`);
		return message;
	};
	let ids = 0;
	const told = ({ at, ...rest }: Record<string, unknown>) => `${at} ${JSON.stringify(rest)}`;
	const begin = () =>
		beginLife(
			clock,
			(timer) =>
				new QueueService(
					{
						...storage,
						rowsWritten: () => 0,
						now: clock.now,
						timer,
						newId: () => `lease-${++ids}`,
						log(record) {
							if (record.at !== "report") tell("relay", () => told(record));
						},
					},
					{ maxOpenJobs: 5000, clocks },
				),
		);
	let life = begin();

	/** Memory is lost, the rows stay; what waited for an answer gets none. */
	function beginAnew(): void {
		life.end();
		life = begin();
	}
	function restart(): void {
		tell("relay", "starts anew");
		beginAnew();
	}
	function hourly(): void {
		clock.after(dice.below(2 * HOUR), () => {
			if (dice.chance(faults.now.relayRestarts)) restart();
			hourly();
		});
	}
	function housekeeping(): void {
		clock.after(clocks.housekeeping, () => void life.asked((queue) => queue.housekeep().then(() => null), null).then(housekeeping));
	}
	hourly();
	housekeeping();

	/** A call that may be lost on its way there or back, or in a restart. */
	async function once<T>(name: string, effect: (queue: QueueService) => T | Promise<T>): Promise<T> {
		await travel(setting, 5, 60);
		if (dice.chance(faults.now.relayLoses / 2)) throw new RelayError(name, null, "lost on its way");
		const begun = life;
		const result = await life.asked(effect);
		await travel(setting, 5, 60);
		if (begun !== life || dice.chance(faults.now.relayLoses / 2)) throw new RelayError(name, null, "the answer was lost");
		return result;
	}
	async function patient<T>(name: string, effect: (queue: QueueService) => T | Promise<T>): Promise<T> {
		for (const pause of PAUSES_MS) {
			try {
				return await once(name, effect);
			} catch (error) {
				if (!(error instanceof RelayError)) throw error;
				await clock.sleep(pause);
			}
		}
		return once(name, effect);
	}

	const port: Relay = {
		async lease(request) {
			const answer = await patient("/lease", (queue) => queue.lease(taken("/lease", parseLeaseRequest, request)));
			// A session writes to its items, and the relay may answer the same again.
			return carried(answer, (it) => ({ ...it, work: it.work.map((item) => ({ ...item })), budgets: { ...it.budgets } }));
		},
		async settle(results) {
			results.forEach(settling);
			const copies = () => carried(results, (all) => all.map((result) => ({ ...result })));
			const answer = await patient("/settle", (queue) => queue.settle(taken("/settle", parseSettleRequest, { results: copies() })));
			const regrouped = Object.entries(answer.stale).find(([, { reason }]) => reason.includes("another intent"));
			if (regrouped) setting.broken(`${regrouped[0]} was to be launched anew while its launch was open`);
			return carried(answer);
		},
		observe: async (facts) =>
			carried(await patient("/observe", (queue) => queue.observe(taken("/observe", parseObserveRequest, carried(facts))))),
	};
	return {
		port,
		restart,
		/** As if every poller had budgets of its own. */
		forgetBudgets(): void {
			for (let slot = 0; slot < LEASES; slot++) {
				const [lease] = docs<Leased>(storage.sql(STATEMENTS.setting, `lease-${slot}`));
				const budgets = lease && { ...lease.budgets, jit: [] };
				if (lease) storage.sql(STATEMENTS.saveSetting, `lease-${slot}`, JSON.stringify({ ...lease, budgets }));
			}
			beginAnew();
		},
		/** False when GitHub gets no 202. */
		async deliver(guid: string, event: JobEvent): Promise<boolean> {
			const delivery = { id: guid, event: carried(event, (it) => ({ ...it, job: { ...it.job } })) };
			const receipt = await life.asked<Receipt | "lost">((queue) => queue.receive(delivery), "lost");
			return receipt === "accepted" || receipt === "duplicate";
		},
		report(instanceId: string, jobId: number, phase: ReportPhase, sequence: number): void {
			if (dice.chance(faults.now.reportLost)) return;
			const report = { version: 1 as const, instanceId, sequence, phase, at: clock.now(), jobId, reason: null, measurements: {} };
			clock.after(20 + dice.below(500), () => void life.queue.report(report));
		},
		job: (id: number) => life.queue.job(id),
		/** The launch that the rows hold under a token, read past the service. */
		intent: (token: string): Intent | null => docs<Intent>(storage.sql(STATEMENTS.intent, token))[0] ?? null,
		/** Records of the jobs, read past the service. */
		record: (id: number): Job | null => docs<Job>(storage.sql(STATEMENTS.jobById, id))[0] ?? null,
	};
}
