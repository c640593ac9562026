// The promise "a webhook that GitHub was told we have is never lost", under SIGKILL at any moment.
import { expect, test } from "bun:test";
import { isDeepStrictEqual } from "node:util";
import { createDice, type Dice, seedOfRun } from "../dice.ts";
import { type Book, createBook, type Known, RANK } from "./kill-loop/book.ts";
import { type Found, readStorage } from "./kill-loop/found.ts";
import { polls } from "./kill-loop/poller.ts";
import { sends } from "./kill-loop/sender.ts";
import { instanceId } from "./ledger-rows.ts";
import { type RelayUnderTest, relayUnderTest } from "./relay-under-test.ts";

const KILLS = 120;
const SENDERS = 8;
/** Jobs asked for at once. */
const PIECE = 20;
/** Leases run out within the test, so that intents are replayed. */
const CLOCKS = JSON.stringify({ firstLease: 300, lease: 400 });

/** Lets the relay live for not even a whole start, for a few answers or for many: by what it did rather than by time, so that a slow machine tests as much. */
async function letLive(book: Book, dice: Dice): Promise<void> {
	const kind = dice.below(4);
	const enough = book.answered.length + (kind === 0 ? 0 : kind === 3 ? 60 + dice.below(200) : 1 + dice.below(60));
	while (book.answered.length < enough) await Bun.sleep(1);
	await Bun.sleep(dice.below(4));
}

/** Asks for jobs: each stands where it was acknowledged to stand before, or further. */
async function assertStanding(relay: RelayUnderTest, book: Book, known: Known[]): Promise<void> {
	const before = known.map(({ id, state }) => ({ id, state }));
	const now = await Promise.all(before.map(({ id }) => relay.job(id).catch(() => null)));
	for (const [at, { id, state }] of before.entries()) {
		const found = now[at]?.state;
		if (!found || RANK[found] < RANK[state ?? "queued"]) book.wrong.push(`job ${id} was ${state} and is ${found ?? "lost"}`);
	}
}

/** Some jobs that an answer was given about. */
function sample(book: Book, dice: Dice): Known[] {
	return Array.from({ length: 8 }, () => dice.pick(book.answered)?.job).filter((job) => job !== undefined);
}

/** Kills and restarts under load until there were enough kills, and lets everyone finish on the last one. */
async function killAgainAndAgain(relay: RelayUnderTest, book: Book, seed: number): Promise<void> {
	let isOver = false;
	const dice = createDice(seed);
	const party = (n: number) => ({ relay, book, dice: createDice(seed + n), isOver: () => isOver });
	const senders = Array.from({ length: SENDERS }, (_, n) => sends(party(n + 1)));
	const everyone = Promise.all([...senders, polls(party(SENDERS + 1))]);
	for (let kill = 1; kill <= KILLS; kill++) {
		await letLive(book, dice);
		await relay.kill("SIGKILL");
		await relay.restart();
		if (dice.chance(0.3)) await assertStanding(relay, book, sample(book, dice));
	}
	isOver = true;
	await everyone;
}

/** What is wrong with a job as it lies in the file, held against what was acknowledged of it. */
function faultsOf(known: Known, found: Found["jobs"][number] | undefined, book: Book, marked: Found["marked"]): string[] {
	if (!found) return ["is lost"];
	const states = found.history.map(({ to }) => to);
	const ranks = states.map((state) => RANK[state]);
	const own = instanceId(known.id);
	const isOwned = found.seat?.key === own || found.spare?.key === own || marked.includes(own) || book.ended.has(own);
	return [
		...(RANK[found.state] < RANK[known.state ?? "queued"] ? [`was acknowledged ${known.state} and is ${found.state}`] : []),
		...(ranks.some((rank, at) => rank <= (ranks[at - 1] ?? -1)) ? [`moved ${states.join(" -> ")}`] : []),
		...[...known.settled].filter((state) => !states.includes(state)).map((state) => `forgot that it was settled ${state}`),
		...(known.settled.has("launched") && !isOwned ? [`forgot its machine ${own}`] : []),
		...(known.way === "own" && known.state === "done" && found.seat?.key !== own ? [`sits on ${found.seat?.key}`] : []),
	];
}

function doubled<T>(all: readonly T[]): T[] {
	return all.filter((one, at) => all.indexOf(one) !== at);
}

test(`no acknowledged webhook or settle is lost or doubled over ${KILLS} kills under ${SENDERS} senders and a poller`, async () => {
	const seed = seedOfRun();
	await using relay = await relayUnderTest({ CLOCKS, MAX_OPEN_JOBS: "1000000" });
	const book = createBook();
	await killAgainAndAgain(relay, book, seed);
	const { starts: told } = (await (await relay.operator("/starts?limit=1000")).json()) as { starts: { jobId: number }[] };
	const known = [...book.jobs.values()];
	for (let at = 0; at < known.length; at += PIECE) await assertStanding(relay, book, known.slice(at, at + PIECE));
	await relay.kill("SIGKILL");
	const found = await readStorage(relay.folder);
	const byId = new Map(found.jobs.map((job) => [job.pointer.id, job]));
	const settled = known.filter((job) => job.settled.has("launching"));
	const begun = known.filter(({ way, state }) => way === "own" && state === "done").map(({ id }) => id);
	const startedIds = found.starts.map(({ jobId }) => jobId);
	process.stderr.write(
		`kill loop: FC_SEED=${seed}: ${KILLS} kills, ${known.length} jobs, ${book.answered.length} deliveries, ` +
			`${book.answered.filter(({ tries }) => tries > 1).length} sent again, ` +
			`${book.absorbed} stored unanswered, ${settled.length} intents, ${begun.length} starts\n`,
	);
	expect(book.wrong).toEqual([]);
	expect(found.integrity).toEqual(["ok"]);
	expect(found.jobs.map(({ pointer }) => pointer.id).toSorted((a, b) => a - b)).toEqual(known.map(({ id }) => id));
	expect(known.flatMap((job) => faultsOf(job, byId.get(job.id), book, found.marked).map((fault) => `job ${job.id} ${fault}`))).toEqual([]);
	const seats = found.jobs.flatMap(({ seat, spare }) => [seat?.key, spare?.key]).filter((key) => key !== undefined);
	expect(doubled(seats)).toEqual([]);
	expect([doubled(startedIds), doubled(told.map(({ jobId }) => jobId))]).toEqual([[], []]);
	expect(begun.filter((id) => !startedIds.includes(id))).toEqual([]);
	const lostIntents = settled.filter(({ intent }) => !found.intents.some((kept) => isDeepStrictEqual(kept, intent)));
	expect(lostIntents.map(({ id }) => id)).toEqual([]);
	// A run in which nothing happened proves nothing.
	expect(Math.min(begun.length, settled.length, book.absorbed)).toBeGreaterThan(0);
}, 600_000);
