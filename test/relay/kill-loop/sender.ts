// GitHub: new jobs, what happens to them next, and the same delivery again for as long as it got no answer.
import { parseWebhookAnswer } from "../../../contract/job.ts";
import type { Dice } from "../../dice.ts";
import { instanceId } from "../ledger-rows.ts";
import { delivery, payloadOf, type RelayUnderTest } from "../relay-under-test.ts";
import type { Book, Known, Letter } from "./book.ts";

/** Fetch would repeat a request by itself on a connection that died; here every copy is counted. */
export const ONCE = { keepalive: false } as const;

export interface Party {
	relay: Pick<RelayUnderTest, "call" | "bearer" | "report">;
	book: Book;
	dice: Dice;
	isOver: () => boolean;
}

function requestOf({ delivery: id, job, action, runnerName }: Letter): RequestInit {
	const conclusion = action === "completed" ? (job.way === "cancelled" ? "cancelled" : "success") : null;
	const payload = payloadOf(job.id, action, { runner_name: runnerName, conclusion });
	return { ...delivery(payload, { "x-github-delivery": id }), ...ONCE };
}

/** Sends a letter and notes what came of it. A server that died answers nothing. */
async function send(party: Party, letter: Letter): Promise<void> {
	const { relay, book } = party;
	const isKnown = book.answered.includes(letter);
	letter.tries += 1;
	const said = await relay
		.call("/webhook", requestOf(letter))
		.then(async (response) => ({ status: response.status, body: await response.text() }))
		.catch(() => null);
	if (said === null) {
		if (!isKnown) book.unanswered.push(letter);
		return Bun.sleep(10);
	}
	const answer = said.status === 202 ? parseWebhookAnswer(JSON.parse(said.body)) : null;
	if (!answer?.ok) book.wrong.push(`${letter.delivery} was answered ${said.status} ${said.body}`);
	else if (answer.value.accepted && isKnown) book.wrong.push(`${letter.delivery} was taken in again after it was answered`);
	else if (!answer.value.accepted && letter.tries === 1) book.wrong.push(`${letter.delivery} was called a duplicate at its first copy`);
	if (isKnown) return;
	if (answer?.ok && !answer.value.accepted) book.absorbed += 1;
	book.heard(letter);
	if (letter.action === "in_progress" && letter.job.way === "own") await report(party, letter.job);
}

/** The machine says that its first step runs: a start is told twice, by the machine and by GitHub, and must count once. */
async function report({ relay, book }: Party, { id }: Known): Promise<void> {
	const said = await relay.report(instanceId(id), { phase: "running", jobId: id }).catch(() => null);
	if (said && said.status !== 204) book.wrong.push(`a report of job ${id} was answered ${said.status}`);
}

function nextOf({ book, dice }: Party, job: Known): Letter {
	if (job.state === "running" || job.way === "elsewhere") return book.letter(job, job.state === "running" ? "completed" : "in_progress");
	job.way ??= job.isLaunched ? "own" : dice.chance(0.5) ? "elsewhere" : "cancelled";
	return book.letter(job, job.way === "cancelled" ? "completed" : "in_progress");
}

/** A job that may go on; those that have a machine go first, for there are few of them. */
function drawIdle({ book, dice }: Party): Known | undefined {
	const launched = book.idle.findIndex(({ isLaunched }) => isLaunched);
	const at = launched >= 0 && dice.chance(0.5) ? launched : dice.below(book.idle.length);
	const job = book.idle[at];
	return job?.isPatient && !job.isLaunched ? undefined : book.idle.splice(at, 1)[0];
}

function nextLetter(party: Party): Letter {
	const { book, dice } = party;
	const lost = dice.chance(0.3) ? dice.draw(book.unanswered) : undefined;
	const copied = dice.chance(0.03) ? dice.pick(book.answered) : undefined;
	const idle = lost || copied || !dice.chance(0.55) ? undefined : drawIdle(party);
	return lost ?? copied ?? (idle ? nextOf(party, idle) : book.letter(book.newJob(), "queued"));
}

/** Sends until it is over, one delivery at a time; then once more what was never answered. */
export async function sends(party: Party): Promise<void> {
	while (!party.isOver()) await send(party, nextLetter(party));
	for (let letter = party.book.unanswered.pop(); letter; letter = party.book.unanswered.pop()) await send(party, letter);
}
