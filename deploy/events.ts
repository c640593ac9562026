// What happens in a stack and the stacks nested in it, as lines, and why it failed. Pure but for `watch`, which asks through what it is given.
import { hasEnded } from "./stack-state.ts";

export interface StackEvent {
	id: string;
	stackId: string;
	/** Epoch ms. */
	at: number;
	logicalId: string;
	physicalId: string;
	type: string;
	status: string;
	reason: string | null;
}

const STACK = "AWS::CloudFormation::Stack";
const isOwn = ({ stackId, physicalId }: StackEvent) => stackId === physicalId;
/** `arn:aws:cloudformation:region:account:stack/name/id`. */
const nameOf = (stackId: string) => stackId.split("/")[1] ?? stackId;

/** `12:01:07 UPDATE_FAILED  mayfly-Poller-1ABC/Function AWS::Lambda::Function: why`. */
export function eventLine({ at, stackId, logicalId, type, status, reason }: StackEvent): string {
	const time = new Date(at).toISOString().slice(11, 19);
	return `${time} ${status.padEnd(28)} ${nameOf(stackId)}/${logicalId} ${type}${reason ? `: ${reason}` : ""}`;
}

/** What others failed of: a nested stack fails of its part, and its neighbours of being cancelled. */
const ECHO = /cancelled|^Embedded stack .* was not successfully|^The following resource\(s\) failed/i;

/** The event that the others followed from; null: none failed. */
export function firstFailure(events: readonly StackEvent[]): StackEvent | null {
	const failed = events.filter(({ status }) => status.endsWith("_FAILED")).toSorted((one, other) => one.at - other.at);
	const own = failed.filter(({ reason, type }) => type !== STACK && !ECHO.test(reason ?? ""));
	return own[0] ?? failed.find(({ reason }) => !ECHO.test(reason ?? "")) ?? failed[0] ?? null;
}

export interface Watched {
	/** A stack's events, newest first. */
	events(stackId: string): Promise<StackEvent[]>;
	status(stackId: string): Promise<string>;
	sleep(ms: number): Promise<void>;
}

/** CloudFormation answers this call about ten times a second for an account, and there is one for each stack under way. */
const PAUSE_MS = 3000;

/**
 * Tells each event after those of `seen` until the stack has come to an end; gives them all, and the end. Nested stacks are followed from their
 * first event to their own end.
 */
export async function watch(
	stackId: string,
	seen: ReadonlySet<string>,
	watched: Watched,
	tell: (event: StackEvent) => void,
): Promise<{ status: string; events: StackEvent[] }> {
	const told = new Set(seen);
	const all: StackEvent[] = [];
	const followed = new Set([stackId]);
	const over = new Set<string>();
	let begun = Number.POSITIVE_INFINITY;

	async function news(): Promise<void> {
		for (const id of followed) {
			if (over.has(id)) continue;
			const fresh = (await watched.events(id)).filter((event) => !told.has(event.id)).toReversed();
			begun = Math.min(begun, fresh[0]?.at ?? begun);
			for (const event of fresh) {
				told.add(event.id);
				// A nested stack has a past of its own.
				if (event.at < begun) continue;
				all.push(event);
				tell(event);
				if (event.type === STACK && !isOwn(event) && event.physicalId.includes(":stack/")) followed.add(event.physicalId);
				if (isOwn(event) && id !== stackId && hasEnded(event.status)) over.add(id);
			}
		}
	}

	for (;;) {
		const status = await watched.status(stackId);
		await news();
		if (hasEnded(status)) return { status, events: all };
		await watched.sleep(PAUSE_MS);
	}
}
