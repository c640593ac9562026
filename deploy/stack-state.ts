// What may be done with a stack in the state that it is in. Pure.

export interface StackNow {
	id: string;
	status: string;
	reason: string | null;
	parameters: Record<string, string>;
	outputs: Record<string, string>;
}
export type Way = { type: "CREATE" | "UPDATE" } | { refused: string };

/** A change set that was never executed leaves a stack behind that is nothing yet. */
const NOTHING_YET = "REVIEW_IN_PROGRESS";

export function isThere(stack: StackNow | null): stack is StackNow {
	return stack !== null && stack.status !== NOTHING_YET;
}

/** What a change of it must be. */
export function wayTo(name: string, region: string, stack: StackNow | null): Way {
	if (!isThere(stack)) return { type: "CREATE" };
	const { status } = stack;
	const aws = (command: string) => `aws cloudformation ${command} --stack-name ${name} --region ${region}`;
	if (status === "ROLLBACK_COMPLETE" || status === "ROLLBACK_FAILED" || status === "CREATE_FAILED")
		return { refused: `${name} was never made (${status}) and cannot be changed: ${aws("delete-stack")}, then deploy again` };
	if (status === "UPDATE_ROLLBACK_FAILED")
		return { refused: `${name} is stuck (${status}): mend what it names, then ${aws("continue-update-rollback")}` };
	if (status === "DELETE_FAILED") return { refused: `${name} could not be removed (${status}): ${aws("delete-stack")} again` };
	if (status.endsWith("_IN_PROGRESS"))
		return { refused: `something else is changing ${name} (${status}): wait for it, ${aws("describe-stack-events")}` };
	return { type: "UPDATE" };
}

const GOOD = ["CREATE_COMPLETE", "UPDATE_COMPLETE"];

export function hasEnded(status: string): boolean {
	return !status.endsWith("_IN_PROGRESS");
}

export function hasSucceeded(status: string): boolean {
	return GOOD.includes(status);
}
