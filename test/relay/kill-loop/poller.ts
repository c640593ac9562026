// The poller: leases, writes intents, launches, settles. It asks until it is answered, and now and then it dies over a launch.
import { isDeepStrictEqual } from "node:util";
import { type LaunchItem, parseLeaseAnswer, type WorkItem } from "../../../contract/lease.ts";
import type { Parsed } from "../../../contract/parse.ts";
import { parseSettleAnswer } from "../../../contract/settle.ts";
import { machineOf } from "../ledger-rows.ts";
import { SECRETS } from "../relay-under-test.ts";
import type { Known } from "./book.ts";
import { ONCE, type Party } from "./sender.ts";

/** The same call until it is answered. */
async function ask<T>(
	{ relay, book, isOver }: Party,
	path: string,
	body: unknown,
	parse: (input: unknown) => Parsed<T>,
): Promise<T | null> {
	for (;;) {
		const init = { ...relay.bearer(SECRETS.POLLER_TOKEN, body), ...ONCE };
		const said = await relay
			.call(path, init)
			.then(async (response) => ({ status: response.status, body: (await response.json()) as unknown }))
			.catch(() => null);
		const read = said && parse(said.body);
		if (read?.ok) return read.value;
		if (said) book.wrong.push(`${path} was answered ${said.status} ${JSON.stringify(said.body)}`);
		if (said || isOver()) return null;
		await Bun.sleep(3);
	}
}

/** Settles one item and notes the state it was acknowledged with; null when it was stale. */
async function settle(party: Party, job: Known | undefined, result: { workId: string } & Record<string, unknown>): Promise<boolean> {
	const answer = await ask(party, "/settle", { results: [result] }, parseSettleAnswer);
	const state = answer?.settled[result.workId]?.state;
	if (job && state) {
		job.settled.add(state);
		party.book.reached(job, state);
	}
	return answer?.settled[result.workId] !== undefined;
}

/** A launch handed out must be one that is still due, with the intent that was written for it, to the letter. */
function assertDue({ book }: Party, job: Known, { intent, workId }: LaunchItem): void {
	if (job.settled.has("launched")) book.wrong.push(`${workId} was handed out after its machine was settled`);
	if (intent && !isDeepStrictEqual(intent, job.intent)) book.wrong.push(`${workId} came with another intent than was written`);
	if (!intent && job.settled.has("launching")) book.wrong.push(`${workId} came without the intent that was written`);
}

async function launch(party: Party, item: LaunchItem, job: Known): Promise<void> {
	const { workId, leaseId } = item;
	assertDue(party, job, item);
	const request = { z: [party.dice.below(1000), { nested: null, text: "ü\u0000\\" }], a: leaseId };
	job.intent = item.intent ?? { token: `token-${leaseId}`, members: [job.id], request };
	if (!(await settle(party, job, { workId, leaseId, outcome: "launching", ...job.intent }))) return;
	job.isLaunched = true;
	if (party.dice.chance(0.3)) return;
	await settle(party, job, { workId, leaseId, outcome: "launched", ...machineOf(job.id) });
}

async function serve(party: Party, item: WorkItem): Promise<void> {
	const { book } = party;
	const { workId, leaseId } = item;
	const job = item.kind === "launch" ? book.jobs.get(item.job.id) : undefined;
	if (item.kind === "launch" && job) return launch(party, item, job);
	if (item.kind !== "terminate") return void book.wrong.push(`${workId} was handed out without a reason`);
	const way = book.jobs.get(item.job?.id ?? 0)?.way;
	if (way === "own" || way === null) book.wrong.push(`${workId} would end the machine of a job that needs it`);
	book.ended.add(item.instanceId);
	await settle(party, undefined, { workId, leaseId, outcome: "terminated" });
}

/** Leases and serves until it is over. What is handed out to one request is never handed out to another under the same lease. */
export async function polls(party: Party): Promise<void> {
	const { book, dice, isOver } = party;
	const requestOf = new Map<string, string>();
	for (let asked = 1; !isOver(); asked++) {
		const requestId = `request-${asked}`;
		const body = { session: "killer", requestId, max: 1 + dice.below(3), waitSeconds: dice.below(2) };
		const answer = await ask(party, "/lease", body, parseLeaseAnswer);
		for (const item of answer?.work ?? []) {
			if (requestOf.has(item.leaseId)) book.wrong.push(`${item.workId} was handed out twice under one lease`);
			requestOf.set(item.leaseId, requestId);
			await serve(party, item);
		}
		await Bun.sleep(dice.below(40));
	}
}
