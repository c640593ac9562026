// A change set: made, waited for, taken back. Asks CloudFormation through what it is given.
import type { ChangeSetNow, ChangeSetRequest, CloudFormation } from "./cloudformation.ts";

const PAUSE_MS = 2000;
const UNCHANGED = /didn't contain changes|No updates are to be performed/i;

export type Made = { kind: "ready"; changeSet: ChangeSetNow } | { kind: "unchanged" } | { kind: "failed"; reason: string };

type Port = Pick<CloudFormation, "createChangeSet" | "changeSet" | "deleteChangeSet">;
export interface Making {
	sleep(ms: number): Promise<void>;
	/** Is told an id at once, for whoever has to take it back. */
	begun(id: string): void;
	say(line: string): void;
}

/**
 * Makes one with the nested stacks' changes and waits until it can be executed. Where CloudFormation cannot foresee those, as it may be while nested
 * stacks take values from each other that are not made yet, one without them: it does the same and shows less.
 */
export async function makeChangeSet(port: Port, request: Omit<ChangeSetRequest, "nested">, making: Making): Promise<Made> {
	const made = await makeOne(port, { ...request, nested: true }, making);
	if (made.kind !== "failed") return made;
	const plain = await makeOne(port, { ...request, name: `${request.name}-root`, nested: false }, making);
	if (plain.kind === "ready") making.say(`what would change inside nested stacks cannot be shown: ${made.reason}`);
	return plain;
}

/** Nested stacks are always listed, and all that they have beside is a change set without changes. */
function isEmpty({ changes }: ChangeSetNow): boolean {
	return changes.length > 0 && changes.every(({ isOpened }) => isOpened);
}

async function makeOne(port: Port, request: ChangeSetRequest, { sleep, begun }: Making): Promise<Made> {
	const id = await port.createChangeSet(request);
	begun(id);
	for (;;) {
		const changeSet = await port.changeSet(id);
		const { status, reason } = changeSet;
		const isReady = status === "CREATE_COMPLETE";
		if (isReady && !isEmpty(changeSet)) return { kind: "ready", changeSet };
		if (isReady || status === "FAILED") {
			await port.deleteChangeSet(id);
			return isReady || UNCHANGED.test(reason ?? "") ? { kind: "unchanged" } : { kind: "failed", reason: reason ?? status };
		}
		await sleep(PAUSE_MS);
	}
}

/** CloudFormation takes letters, digits and hyphens, a letter first. */
export function changeSetName(now: number): string {
	return `deploy-${new Date(now).toISOString().slice(0, 19).replace(/[-:]/g, "")}`;
}
