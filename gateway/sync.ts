// What a gateway makes of an answer to its question for new lists. What does not read is refused, and what was good goes on. Pure.
import { type EgressDocument, parseEgressDocument } from "../contract/egress.ts";

/** What the mailbox said. */
export type Fetched =
	| { kind: "same" }
	/** There is none yet, or nobody may read it: S3 answers both alike. */
	| { kind: "none" }
	| { kind: "document"; text: string; etag: string | null }
	| { kind: "failed"; reason: string };

export interface Synced {
	/** Of what is installed; null: nothing, or it is to be read again. */
	etag: string | null;
	/** The text that is installed. */
	text: string | null;
	/** What was last said to be wrong. */
	problem: string | null;
}
export interface Decision {
	state: Synced;
	install: { document: EgressDocument; text: string; etag: string | null } | null;
	/** A sentence for the log; the same problem is said once. */
	say: string | null;
}

export const NOTHING_YET: Synced = { etag: null, text: null, problem: null };

function parsed(text: string) {
	try {
		return parseEgressDocument(JSON.parse(text));
	} catch {
		return { ok: false as const, reason: "it is not JSON" };
	}
}

/** Takes in that something is wrong. */
export function withProblem(state: Synced, problem: string): Decision {
	const kept = state.text === null ? "nothing passes" : "the last good lists stay";
	const say = problem === state.problem ? null : `${problem}: ${kept}`;
	return { state: { ...state, problem }, install: null, say };
}

export function decideSync(state: Synced, fetched: Fetched): Decision {
	const well = { ...state, problem: null };
	if (fetched.kind === "same") return { state: well, install: null, say: null };
	if (fetched.kind === "none") return withProblem(state, "there are no lists in the mailbox");
	if (fetched.kind === "failed") return withProblem(state, `the mailbox did not answer: ${fetched.reason}`);
	if (fetched.text === state.text) return { state: { ...well, etag: fetched.etag }, install: null, say: null };
	const read = parsed(fetched.text);
	if (!read.ok) return withProblem(state, `the lists in the mailbox are refused: ${read.reason}`);
	return { state, install: { document: read.value, text: fetched.text, etag: fetched.etag }, say: null };
}

/** Takes in that lists were installed. */
export function installed(text: string, etag: string | null): Synced {
	return { etag, text, problem: null };
}

/** Takes in that nobody knows what is installed: whatever comes next is installed anew, that which was before as well. */
export function unknown({ problem }: Synced): Synced {
	return { ...NOTHING_YET, problem };
}
