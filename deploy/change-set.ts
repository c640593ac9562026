// A change set: made, waited for, taken back. Asks CloudFormation through what it is given.
import type { ChangeSetNow, ChangeSetRequest, CloudFormation } from "./cloudformation.ts";

const PAUSE_MS = 2000;
const UNCHANGED = /didn't contain changes|No updates are to be performed/i;

export type Made = { kind: "ready"; changeSet: ChangeSetNow } | { kind: "unchanged" } | { kind: "failed"; reason: string };

/** Makes it and waits until it can be executed. `begun` is told its id at once, for whoever has to take it back. */
export async function makeChangeSet(
	cloudFormation: Pick<CloudFormation, "createChangeSet" | "changeSet" | "deleteChangeSet">,
	request: ChangeSetRequest,
	sleep: (ms: number) => Promise<void>,
	begun: (id: string) => void,
): Promise<Made> {
	const id = await cloudFormation.createChangeSet(request);
	begun(id);
	for (;;) {
		const changeSet = await cloudFormation.changeSet(id);
		const { status, reason } = changeSet;
		if (status === "CREATE_COMPLETE") return { kind: "ready", changeSet };
		if (status === "FAILED") {
			await cloudFormation.deleteChangeSet(id);
			return UNCHANGED.test(reason ?? "") ? { kind: "unchanged" } : { kind: "failed", reason: reason ?? status };
		}
		await sleep(PAUSE_MS);
	}
}

/** CloudFormation takes letters, digits and hyphens, a letter first. */
export function changeSetName(now: number): string {
	return `deploy-${new Date(now).toISOString().slice(0, 19).replace(/[-:]/g, "")}`;
}
